/** Runs losses on WebGPU in Node.js, by Dawn; see test/support/dawn.ts. Prints what test/adapters/webgpu/index.test.ts reads. */
import { writeSync } from 'node:fs'
import { elementwiseLoss, SigmoidFocalLoss, SoftmaxFocalLoss, type TargetKind } from 'focal-loss'
import { type GpuBuffer, type GpuDevice, type WebgpuBuffers, type WebgpuCall, webgpuDevice, webgpuLoss } from 'focal-loss/webgpu'
import { bufferOf, numbersIn, usages } from '../../support/gpu_buffers.js'
import { goldenCases, errorsOf } from '../../support/golden.js'
import { lossOf } from '../../support/losses.js'
import { seeded } from '../../support/random.js'
import type { WebgpuReport } from './index.test.js'

const device = await webgpuDevice()

type Loss = Parameters<typeof webgpuLoss>[1]
const { COPY_DST } = usages

const golden: WebgpuReport['golden'] = []
for (const [index, one] of goldenCases.entries()) {
  // What is promised is of logits up to 80
  const { value, grad } = await webgpuLoss(device, lossOf(one.loss, { ...one.options, reduction: 'none' })).valueAndGradAsync(Float32Array.from(one.logits), one.targets, { shape: one.shape })
  golden.push({ index, ...errorsOf(one, { value, grad, hess: [] }) })
}

const buffer = (data: Float32Array | Int32Array | Uint32Array, usage?: number) => bufferOf(device, data, usage)
const numbersOf = (from: GpuBuffer) => numbersIn(device, from)

async function onBuffers(on: GpuDevice, loss: Loss, inputs: Omit<WebgpuBuffers, 'value' | 'grad'>, call: WebgpuCall) {
  const length = call.shape.reduce((a, b) => a * b, 1)
  const [value, grad] = [buffer(new Float32Array(1)), buffer(new Float32Array(length))]
  webgpuLoss(on, loss).valueAndGrad({ ...inputs, value, grad }, call)
  const curved = { value: buffer(new Float32Array(1)), grad: buffer(new Float32Array(length)), hess: buffer(new Float32Array(length)) }
  webgpuLoss(on, loss).valueGradAndHess({ ...inputs, ...curved }, { ...call, clampHess: LEAST_HESS })
  const [value1, grad1] = [await numbersOf(value), await numbersOf(grad)]
  const same = String([value1, grad1]) === String([await numbersOf(curved.value), await numbersOf(curved.grad)])
  return { value: value1, grad: grad1, hess: await numbersOf(curved.hess), same }
}

/** Above the least of the second derivatives. */
const LEAST_HESS = -1e-5

const next = seeded(7)
const shape = [130, 5, 3]
const x = Float32Array.from({ length: 1950 }, () => 8 * next() - 4)
const indices = Int32Array.from({ length: 390 }, () => Math.floor(6 * next()))
const labels = Float32Array.from(x, () => (next() < 0.5 ? 0 : next()))
const weights = Float32Array.from({ length: 390 }, () => next())
const masks = { row: Float32Array.from({ length: 390 }, () => Number(next() < 0.8)), element: Float32Array.from(x, () => Number(next() < 0.8)) }
/** The same device, but for these of its properties. */
function deviceWith(properties: Partial<GpuDevice>): GpuDevice {
  return new Proxy(device, {
    get(target, name) {
      if (name in properties) return Reflect.get(properties, name) as unknown
      const found: unknown = Reflect.get(target, name)
      return typeof found === 'function' ? (found.bind(target) as unknown) : found
    },
  })
}

/** With bindings so short that a call takes three. */
const narrow = deviceWith({ limits: { maxBufferSize: 2 ** 28, maxStorageBufferBindingSize: 64 * 15 * 4 + 100, maxComputeWorkgroupsPerDimension: 2 } })
const calls: WebgpuReport['calls'] = []
for (const Loss of [SigmoidFocalLoss, SoftmaxFocalLoss]) {
  for (const reduction of ['sum', 'mean', 'mean-rows', 'mean-positives'] as const) {
    const loss = new Loss({ reduction, background: 5, classWeights: [1, 2, 0.5, 1, 3], backend: 'js' })
    // Of a softmax's row the mask must leave the row's own class
    const kinds = (['class-index', 'labels'] as const).flatMap((kind) => (Loss === SigmoidFocalLoss ? (['row', 'element'] as const) : (['row'] as const)).map((per) => [kind, per] as const))
    for (const on of [device, narrow]) {
      for (const [targetKind, maskPer] of kinds) {
        const [targets, mask] = [targetKind === 'labels' ? labels : indices, masks[maskPer]]
        const inputs = { logits: buffer(x), weights: buffer(weights), mask: buffer(mask) }
        const call = { shape, classAxis: 1, targetKind, gradScale: 2 }
        const exact = loss.valueGradAndHess(Float64Array.from(x), targets, { ...call, weights, mask, clampHess: LEAST_HESS })
        const { value, grad, hess, same } = await onBuffers(on, loss, { ...inputs, targets: buffer(targets) }, { ...call, maskPer })
        const host = await webgpuLoss(on, loss).valueAndGradAsync(x, targets, { ...call, weights, mask })
        const largest = Math.max(...exact.grad.map(Math.abs))
        const error = Math.max(...grad.map((g, i) => Math.abs(g - exact.grad[i]) / largest))
        const steepest = Math.max(...exact.hess)
        const curve = Math.max(...hess.map((h, i) => Math.abs(h - exact.hess[i]) / steepest))
        const bounded = exact.hess.filter((h) => Math.abs(h / (2 * LEAST_HESS) - 1) < 1e-6).length
        calls.push({ hess: curve, same, bounded, title: `${Loss.name} ${reduction} ${targetKind}, mask per ${maskPer} ${on === device ? '' : 'in stretches'}`, value: Math.abs(value[0] / exact.value - 1), grad: error, fromHost: Math.max(Math.abs(host.value / exact.value - 1), ...host.grad.map((g, i) => Math.abs(g - exact.grad[i]) / largest)) })
      }
    }
  }
}

/** Of probabilities; and of such as are none, or of rows whose sum is not 1: whether value and gradient are NaN. */
const areNaN: boolean[] = []
const probabilities: WebgpuReport['probabilities'][number][] = []
for (const loss of [new SigmoidFocalLoss({ inputs: 'probabilities' }), new SoftmaxFocalLoss({ inputs: 'probabilities' }), new SoftmaxFocalLoss({ inputs: 'probabilities', renormalize: true })]) {
  const of = async (bad: number | null, title: string) => {
    const p = x.map((_, k) => [0.1, 0.3, 0.05, 0.35, 0.2][Math.floor(k / 3) % 5])
    if (bad !== null) p[7] = bad
    const call = { shape, classAxis: 1, targetKind: 'class-index', gradScale: 2 } as const
    const targets = indices.map((each) => each % 5)
    const { value, grad, hess, same } = await onBuffers(device, loss, { logits: buffer(p), targets: buffer(targets) }, call)
    if (bad !== null) return areNaN.push(Number.isNaN(value[0]) && Number.isNaN(grad[7]))
    const exact = loss.valueGradAndHess(Float64Array.from(p), targets, { ...call, clampHess: LEAST_HESS })
    const [largest, steepest] = [Math.max(...exact.grad.map(Math.abs)), Math.max(...exact.hess)]
    const host = await webgpuLoss(device, loss).valueAndGradAsync(p, targets, call)
    probabilities.push({
      title, same,
      value: Math.abs(value[0] / exact.value - 1),
      grad: Math.max(...grad.map((g, i) => Math.abs(g - exact.grad[i]) / largest)),
      hess: Math.max(...hess.map((h, i) => Math.abs(h - exact.hess[i]) / steepest)),
      fromHost: Math.max(Math.abs(host.value / exact.value - 1), ...host.grad.map((g, i) => Math.abs(g - exact.grad[i]) / largest)),
    })
  }
  await of(null, `${loss.constructor.name} of probabilities`)
  await of(1.1, '')
  if (loss instanceof SoftmaxFocalLoss && !loss.options.renormalize) await of(0.9, '')
}

/** All that kernels read and write, each array once a kernel. */
let bound = 0
const counting = deviceWith({
  createBindGroup(descriptor) {
    for (const { resource } of descriptor.entries as Iterable<{ resource: { size?: number } }>) bound += resource.size ?? 0
    return device.createBindGroup(descriptor)
  },
})
const traffic: WebgpuReport['traffic'][number][] = []
{
  const each = new Float32Array(512 * 64)
  const logits = buffer(each)
  const n = each.byteLength
  const alpha = Array.from({ length: 64 }, () => 0.25)
  // Rows, and what is read and written at least, in bytes: the logits, labels and gradient, or arrays of one number a row
  const cases: readonly (readonly [string, Loss, rows: number, TargetKind, extras: readonly ('weights' | 'mask')[], least: number])[] = [
    ['a mean', new SigmoidFocalLoss(), 512, 'labels', [], 3 * n],
    ['a sum of indices, weights and a mask', new SigmoidFocalLoss({ reduction: 'sum', alpha }), 512, 'class-index', ['weights', 'mask'], 2 * n + 3 * 4 * 512],
    // What divides the gradient is known once all targets are read
    ['a mean of positives', new SigmoidFocalLoss({ reduction: 'mean-positives' }), 512, 'labels', [], 4 * n],
    ['every loss', new SigmoidFocalLoss({ reduction: 'none' }), 512, 'labels', [], 4 * n],
    ['a softmax', new SoftmaxFocalLoss(), 512, 'labels', [], 3 * n],
    ['a softmax of indices, weights and a mask', new SoftmaxFocalLoss({ reduction: 'sum', alpha }), 512, 'class-index', ['weights', 'mask'], 2 * n + 3 * 4 * 512],
    ['a softmax of two classes', new SoftmaxFocalLoss(), 512 * 32, 'class-index', [], 2 * n + 4 * 512 * 32],
    ['every loss of a softmax of three classes', new SoftmaxFocalLoss({ reduction: 'none' }), 10_922, 'class-index', [], 2 * 4 * 32_766 + 2 * 4 * 10_922],
  ]
  for (const [title, loss, rows, targetKind, extras, least] of cases) {
    const ofRows = () => buffer(new Float32Array(rows))
    const inputs = { logits, targets: targetKind === 'labels' ? logits : ofRows(), ...Object.fromEntries(extras.map((name) => [name, ofRows()])) }
    bound = 0
    webgpuLoss(counting, loss).valueAndGrad({ ...inputs, value: buffer(each), grad: buffer(each) }, { shape: [rows, Math.floor(each.length / rows)], targetKind })
    traffic.push({ title, ratio: bound / least })
  }
}

const refused: string[] = []
const refusal = async (call: () => unknown) => {
  try {
    await call()
    refused.push('nothing')
  } catch (error) {
    refused.push(`${(error as Error).name}: ${(error as Error).message}`)
  }
}
const loss = new SigmoidFocalLoss()
const lossFrom = elementwiseLoss({ value: (x, y) => (x - y) ** 2, derivative: (x, y) => 2 * (x - y) })
const mine = webgpuLoss(device, loss)
const four = (): GpuBuffer => buffer(new Float32Array(4))
await refusal(() => mine.valueAndGradAsync(Float32Array.of(1, 2), [0, 2]))
await refusal(() => mine.valueAndGradAsync(Float64Array.of(1, 2) as unknown as Float32Array, [0, 1]))
await refusal(() => mine.valueAndGrad({ logits: four(), targets: four(), value: buffer(new Float32Array(1), COPY_DST) }, { shape: [4], targetKind: 'labels' }))
await refusal(() => mine.valueAndGrad({ logits: four(), targets: four(), value: four() }, { shape: [5], targetKind: 'labels' }))
await refusal(() => mine.valueAndGrad({ logits: four(), targets: four(), value: four() }, { shape: [4] } as unknown as WebgpuCall))
await refusal(() => webgpuLoss(device, lossFrom))
await refusal(() => webgpuLoss({} as GpuDevice, loss))
const many = buffer(new Float32Array(4000))
await refusal(() => webgpuLoss(narrow, loss).valueAndGrad({ logits: many, targets: many, value: four() }, { shape: [2, 2000], targetKind: 'labels' }))
const before = await mine.valueAndGradAsync(Float32Array.of(1), [1])
device.destroy()
await device.lost
await refusal(() => mine.valueAndGradAsync(Float32Array.of(1), [1]))

const answer = JSON.stringify({ golden, calls, traffic, probabilities, areNaN, refused, before: before.value } satisfies WebgpuReport)
for (let written = 0; written < answer.length; ) written += writeSync(1, answer.slice(written, written + 2 ** 15))
