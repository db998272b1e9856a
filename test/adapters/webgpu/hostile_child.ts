/** Calls on buffers as they should not be, on WebGPU in Node.js, by Dawn. Prints what test/adapters/webgpu/hostile.test.ts reads. */
import { writeSync } from 'node:fs'
import { SigmoidFocalLoss, SoftmaxFocalLoss } from 'focal-loss'
import { type GpuBuffer, type GpuDevice, webgpuDevice, webgpuLoss } from 'focal-loss/webgpu'
import { bufferOf, numbersIn, usages } from '../../support/gpu_buffers.js'
import { thrownBy } from '../../support/thrown.js'
import type { HostileReport } from './hostile.test.js'

const { COPY_DST, COPY_SRC, STORAGE } = usages
const [device, other] = [await webgpuDevice(), await webgpuDevice()]

const buffer = (data: readonly number[], on: GpuDevice = device, usage?: number) => bufferOf(on, Float32Array.from(data), usage)
const numbersOf = (from: GpuBuffer) => numbersIn(device, from)

const mine = webgpuLoss(device, new SigmoidFocalLoss())
const rows = webgpuLoss(device, new SoftmaxFocalLoss())
const four = (): GpuBuffer => buffer([1, -1, 0.5, 2])
const buffers = () => ({ logits: four(), targets: buffer([1, 0, 0, 1]), value: buffer([7]), grad: buffer([7, 7, 7, 7]), hess: buffer([7, 7, 7, 7]) })
const { hess, ...plain } = buffers()
const call = { shape: [2, 2], targetKind: 'labels' } as const

/** As callers without types may. */
const loosely = (loss: typeof mine) => loss as unknown as Record<'valueAndGrad' | 'valueGradAndHess', (...given: unknown[]) => void>
const grads = (given: unknown, of: unknown = call) => loosely(mine).valueAndGrad(given, of)
const errors: Record<string, string> = {}
const refuse = async (title: string, run: () => unknown) => {
  errors[title] = String(await thrownBy(run))
}
await refuse('no buffers', () => grads(undefined))
await refuse('no call', () => grads(plain, null))
await refuse('a buffer too many', () => grads({ ...plain, hess }))
await refuse('no second derivatives', () => loosely(mine).valueGradAndHess(plain, call))
await refuse('memory of the host', () => grads({ ...plain, grad: new Float32Array(4) }))
await refuse('null', () => grads({ ...plain, targets: null }))
await refuse('a gradient over its logits', () => grads({ ...plain, grad: plain.logits }))
await refuse('two results in one', () => loosely(mine).valueGradAndHess({ ...plain, hess: plain.grad }, call))
await refuse('mapped', () => grads({ ...plain, logits: (device as GPUDevice & GpuDevice).createBuffer({ size: 16, usage: STORAGE, mappedAtCreation: true }) }))
await refuse('too short', () => grads({ ...plain, weights: buffer([1]) }))
await refuse('no usage', () => grads({ ...plain, grad: buffer([1, 2, 3, 4], device, COPY_DST | COPY_SRC) }))
await refuse('another type', () => grads(plain, { ...call, targetDtype: 'float64' }))
await refuse('weights of elements', () => loosely(rows).valueAndGrad({ ...plain, weights: four() }, { ...call, weightsPer: 'element' }))
await refuse('memory taken away by a signal', () => {
  const logits = new Float32Array(4)
  const signal = Object.defineProperty({ throwIfAborted: () => undefined, addEventListener: () => undefined, removeEventListener: () => undefined }, 'aborted', {
    get() {
      structuredClone(logits.buffer, { transfer: [logits.buffer] })
      return false
    },
  })
  return mine.valueAndGradAsync(logits, new Float32Array(4), { signal: signal as unknown as AbortSignal })
})
await refuse('weights that are no buffer', () => grads({ ...plain, weights: 0 }))
await refuse('shape of bigints', () => grads(plain, { ...call, shape: [2n, 2n] }))
await refuse('shape with a hole', () => grads(plain, { ...call, shape: Object.assign(new Array<number>(3), { 0: 2, 2: 2 }) }))
for (const shape of ['4', [], [0, 4], [2.5, 2], [-1, -4], [2 ** 40, 2 ** 40], [1e200, 1e200], [2, NaN]]) await refuse(`shape ${JSON.stringify(shape)}`, () => grads(plain, { ...call, shape }))
await refuse('too many classes', () => grads(plain, { ...call, shape: [1, 2 ** 25] }))
await refuse('another axis', () => grads(plain, { ...call, classAxis: 2 }))
await refuse('a denominator of 0', () => grads(plain, { ...call, normalizer: 0 }))
await refuse('a scale below 0', () => grads(plain, { ...call, gradScale: -1 }))
await refuse('a bound of NaN', () => loosely(mine).valueGradAndHess({ ...plain, hess }, { ...call, clampHess: NaN }))
await refuse('a background among the classes', () => webgpuLoss(device, new SoftmaxFocalLoss({ background: 1 })).valueAndGrad(plain, { shape: [2, 2], targetKind: 'class-index' }))
await refuse('no kind', () => grads(plain, { shape: [2, 2] }))

/** What the device says of a call, and what the call writes. */
async function outcomeOf(change: (given: ReturnType<typeof buffers>) => Partial<ReturnType<typeof buffers>>): Promise<{ said: string; grad: number[] }> {
  const given = buffers()
  device.pushErrorScope('validation')
  mine.valueGradAndHess({ ...given, ...change(given) }, call)
  const error = await device.popErrorScope()
  return { said: error?.message ?? '', grad: await numbersOf(given.grad) }
}
const foreign = await outcomeOf(() => ({ logits: buffer([1, -1, 0.5, 2], other) }))
const destroyed = await outcomeOf(({ targets }) => {
  targets.destroy()
  return {}
})
const after = await outcomeOf(() => ({}))

const odd = { ...buffers(), logits: buffer([NaN, Infinity, -Infinity, 2]), targets: buffer([1, 1, 0, 1]) }
webgpuLoss(device, new SigmoidFocalLoss({ reduction: 'sum' })).valueGradAndHess(odd, call)
const strange = { value: await numbersOf(odd.value), grad: await numbersOf(odd.grad), hess: await numbersOf(odd.hess) }
const empty = await mine.valueAndGradAsync(new Float32Array(0), new Float32Array(0))

const later = buffers()
const large = mine.valueAndGradAsync(new Float32Array(2 ** 20), new Uint8Array(2 ** 20))
device.destroy()
// Not yet known to be lost
const atOnce = String(await thrownBy(() => mine.valueGradAndHess(later, call)))
await refuse('lost in a call', () => large)
await device.lost
await refuse('lost', () => mine.valueGradAndHess(later, call))
other.destroy()

const answer = JSON.stringify({ errors, foreign, destroyed, after, strange: JSON.stringify(strange, (_, x: unknown) => (typeof x === 'number' && !Number.isFinite(x) ? String(x) : x)), empty: String(empty.value), atOnce } satisfies HostileReport)
for (let written = 0; written < answer.length; ) written += writeSync(1, answer.slice(written, written + 2 ** 15))
