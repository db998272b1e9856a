/** The backend webgpu in Node.js, by Dawn; see test/support/dawn.ts. Prints what test/backends/webgpu/backend.test.ts reads. */
import { writeSync } from 'node:fs'
import { type BackendInfo, backends, getBackend, init, type Logits, setBackend, SigmoidFocalLoss, SoftmaxFocalLoss } from 'focal-loss'
import { type GpuDevice, webgpuDevice } from 'focal-loss/webgpu'
import { largestError } from '../../support/closeness.js'
import { shared } from '../../support/buffers.js'
import { flat } from '../../support/losses.js'
import { seeded } from '../../support/random.js'
import { thrownBy } from '../../support/thrown.js'
import { halfProbabilityErrors } from '../../support/webgpu_probabilities.js'
import { type WebgpuReport, webgpuReport } from '../../support/webgpu_report.js'

export interface BackendReport extends WebgpuReport {
  readonly before: { readonly line: BackendInfo | undefined; readonly set: string; readonly call: string }
  readonly ready: { readonly name: string; readonly line: BackendInfo | undefined; readonly chosen: string }
  readonly slices: readonly { readonly title: string; readonly value: number; readonly grad: number; readonly hess: number }[]
  readonly halves: readonly { readonly title: string; readonly error: number }[]
  readonly halfProbabilities: readonly { readonly title: string; readonly error: number }[]
  readonly refused: readonly string[]
  readonly aborted: { readonly error: string; readonly written: boolean }
  readonly lost: { readonly inCall: string; readonly line: BackendInfo | undefined; readonly next: string; readonly again: string; readonly value: number }
}

const lineOf = () => backends().find(({ name }) => name === 'webgpu')
const errorOf = async (call: () => unknown) => String(await thrownBy(call))
const sigmoid = new SigmoidFocalLoss({ backend: 'webgpu' })
const one = Float32Array.of(1)

const before = { line: lineOf(), set: await errorOf(() => setBackend('webgpu')), call: await errorOf(() => sigmoid.valueAndGradAsync(one, [1])) }

const [name] = await Promise.all([init('webgpu'), init('webgpu')])
setBackend('webgpu')
const ready = { name, line: lineOf(), chosen: getBackend() }
setBackend('auto')
const report = await webgpuReport()
const halfProbabilities = await halfProbabilityErrors()

/** A device whose bindings are so short that a call takes several. */
function narrowed(device: GpuDevice, bytes: number): GpuDevice {
  return new Proxy(device, {
    get(target, name) {
      if (name === 'limits') return { maxBufferSize: bytes, maxStorageBufferBindingSize: bytes, maxComputeWorkgroupsPerDimension: 2 }
      const found: unknown = Reflect.get(target, name)
      return typeof found === 'function' ? (found.bind(target) as unknown) : found
    },
  })
}

const mine = await webgpuDevice()
const random = seeded(11)
const slices: BackendReport['slices'][number][] = []
await init('webgpu', { device: narrowed(mine, 600) })
for (const shape of [[40, 5, 1], [2, 3, 50]]) {
  const length = shape.reduce((a, b) => a * b)
  const x = Float32Array.from({ length }, () => random.between(-6, 6))
  const labels = Float32Array.from(x, () => random.pick([0, 1, random()]))
  const indices = Int32Array.from({ length: shape[0] * shape[2] }, () => random.integer(shape[1]))
  const weights = Float32Array.from(indices, () => random())
  const mask = Uint8Array.from(indices, () => Number(random() < 0.7))
  for (const reduction of ['none', 'mean', 'mean-positives'] as const) {
    for (const targets of [labels, indices]) {
      const call = { shape, classAxis: 1, weights, mask, gradScale: 2 }
      const both = (backend: 'js' | 'webgpu') => [new SigmoidFocalLoss({ reduction, backend }), new SoftmaxFocalLoss({ reduction, backend })] as const
      const [[a, b], [c, d]] = [both('js'), both('webgpu')]
      const [exact, actual] = [a.valueGradAndHess(x, targets, { ...call, clampHess: 0 }), await c.valueGradAndHessAsync(x, targets, { ...call, clampHess: 0 })]
      const size = Math.max(...exact.grad.map(Math.abs))
      const far = (got: Logits, wanted: Logits) => Math.max(...Array.from(got, (each, k) => Math.abs(each - wanted[k]) / size))
      slices.push({ title: `sigmoid ${shape.join()} ${reduction}`, value: largestError(flat(actual.value), flat(exact.value)), grad: far(actual.grad, exact.grad), hess: far(actual.hess, exact.hess) })
      const [rows, there] = [b.valueGradAndHess(x, targets, call), await d.valueGradAndHessAsync(x, targets, call)]
      slices.push({ title: `softmax ${shape.join()} ${reduction}`, value: largestError(flat(there.value), flat(rows.value)), grad: far(there.grad, rows.grad), hess: far(there.hess, rows.hess) })
    }
  }
}
const tooWide = await errorOf(() => new SoftmaxFocalLoss({ backend: 'webgpu' }).valueAndGradAsync(new Float32Array(200), [0], { shape: [1, 200] }))
await init('webgpu', { device: mine })

const halves: BackendReport['halves'][number][] = []
for (const dtype of ['float16', 'bfloat16'] as const) {
  // Numbers from 2^-3 up to 2^3, of both signs
  const [from, steps] = dtype === 'float16' ? [0x3000, 0x1800] : [0x3e00, 0x300]
  const bits = Uint16Array.from({ length: 2000 }, (_, k) => from + ((k * 37) % steps) + (k % 2) * 0x8000)
  const targets = Uint8Array.from(bits, (_, k) => Number(k % 3 === 0))
  const [exact, actual] = [new SigmoidFocalLoss({ backend: 'js' }).valueAndGrad(bits, targets, { dtype, gradScale: 4096 }), await sigmoid.valueAndGradAsync(bits, targets, { dtype, gradScale: 4096 })]
  // In units of the last place
  halves.push({ title: dtype, error: Math.max(...Array.from(actual.grad, (each, k) => Math.abs(each - exact.grad[k]))) })
  const single = await sigmoid.valueAndGradAsync(bits, targets, { dtype, grad: new Float32Array(bits.length) })
  const plain = new SigmoidFocalLoss({ backend: 'js' }).valueAndGrad(bits, targets, { dtype, grad: new Float32Array(bits.length) })
  halves.push({ title: `${dtype}, gradient in float32`, error: largestError(single.grad, plain.grad) })
}
const x = Float32Array.of(1, -2, 3, 0.5)
const inPlace = x.slice()
await sigmoid.valueAndGradAsync(inPlace, [1, 0, 0, 1], { grad: inPlace })
const { grad: plain } = new SigmoidFocalLoss({ backend: 'js' }).valueAndGrad(x, [1, 0, 0, 1])
halves.push({ title: 'over the logits', error: largestError(inPlace, plain) })
halves.push({ title: 'in memory that threads share', error: largestError((await sigmoid.valueAndGradAsync(shared(x), [1, 0, 0, 1], { grad: shared(x) })).grad, plain) })
const newton = { curvature: 'expected', maxStep: 2 } as const
const [curves, exactCurves] = [await sigmoid.valueGradAndHessAsync(x, [1, 0, 0, 1], newton), new SigmoidFocalLoss({ backend: 'js' }).valueGradAndHess(x, [1, 0, 0, 1], newton)]
halves.push({ title: 'expected curvature', error: largestError(curves.hess, exactCurves.hess) })

const backend = 'webgpu'
const inputs = 'probabilities'
const refused = [
  await errorOf(() => sigmoid.value(one, [1])),
  await errorOf(() => sigmoid.valueAndGrad(one, [1])),
  await errorOf(() => sigmoid.accumulator().add(one, [1])),
  await errorOf(() => sigmoid.valueAndGradAsync(Float64Array.of(1), [1])),
  await errorOf(() => sigmoid.valueAndGradAsync(x, [0, 1, 2, 0])),
  await errorOf(() => new SoftmaxFocalLoss({ backend }).valueAndGradAsync(x, Int32Array.of(0, 2))),
  await errorOf(() => new SoftmaxFocalLoss({ backend }).valueAndGradAsync(x, Int32Array.of(0, 1), { mask: [0, 1, 1, 1] })),
  await errorOf(() => sigmoid.valueAndGradAsync(x, x.subarray(0, 4), { grad: new Float32Array(x.buffer, 0, 4) })),
  await errorOf(() => new SigmoidFocalLoss({ inputs, backend }).valueAndGradAsync(Float32Array.of(1, 1.5), [1, 0])),
  await errorOf(() => new SigmoidFocalLoss({ inputs, backend }).valueAndGradAsync(Uint16Array.of(0x4000, 0x3c00), [1, 0], { dtype: 'float16' })),
  await errorOf(() => new SoftmaxFocalLoss({ inputs, backend }).valueAndGradAsync(Float32Array.of(0.5, 0.5, 0.5, 0.25), Int32Array.of(0, 1))),
  await errorOf(() => init('webgpu', { device: 0 })),
  await errorOf(() => init('webgpu', { workers: 2 })),
  tooWide,
]

const stop = new AbortController()
const grad = new Float32Array(2 ** 17)
const stopped = errorOf(() => sigmoid.valueAndGradAsync(new Float32Array(2 ** 17).fill(1), new Uint8Array(2 ** 17), { grad, signal: stop.signal }))
setTimeout(() => stop.abort(), 0)
const aborted = { error: await stopped, written: grad.some((each) => each !== 0) }

const busy = errorOf(() => sigmoid.valueAndGradAsync(new Float32Array(2 ** 20), new Uint8Array(2 ** 20)))
setTimeout(() => mine.destroy(), 1)
const [inCall, line, next] = [await busy, lineOf(), await errorOf(() => sigmoid.valueAndGradAsync(one, [1]))]
const lost = { inCall, line, next, again: await init('webgpu'), value: (await sigmoid.valueAndGradAsync(one, [1])).value }

const answer = JSON.stringify({ before, ready, ...report, slices, halves, halfProbabilities, refused, aborted, lost } satisfies BackendReport)
for (let written = 0; written < answer.length; ) written += writeSync(1, answer.slice(written, written + 2 ** 15))
