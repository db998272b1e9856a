/** Runs losses on WebGPU in Node.js, by Dawn; see test/support/dawn.ts. Prints what test/adapters/webgpu.test.ts reads. */
import { writeSync } from 'node:fs'
import { SigmoidFocalLoss, SoftmaxFocalLoss } from 'focal-loss'
import { type GpuBuffer, type GpuDevice, type WebgpuBuffers, type WebgpuCall, webgpuDevice, webgpuLoss } from 'focal-loss/webgpu'
import { goldenCases, errorsOf } from '../support/golden.js'
import { lossOf } from '../support/losses.js'
import { seeded } from '../support/random.js'
import type { WebgpuReport } from './webgpu.test.js'

const device = await webgpuDevice()
const [STORAGE, COPY_SRC, COPY_DST, MAP_READ] = [0x80, 0x4, 0x8, 0x1]

const golden: WebgpuReport['golden'] = []
for (const [index, one] of goldenCases.entries()) {
  if (one.options.inputs !== undefined) continue
  // What is promised is of logits up to 80
  const { value, grad } = await webgpuLoss(device, lossOf(one.loss, { ...one.options, reduction: 'none' })).valueAndGradAsync(Float32Array.from(one.logits), one.targets, { shape: one.shape })
  golden.push({ index, ...errorsOf(one, { value, grad, hess: [] }) })
}

function buffer(data: Float32Array | Int32Array | Uint32Array, usage = STORAGE | COPY_DST | COPY_SRC): GpuBuffer {
  const made = device.createBuffer({ size: data.byteLength, usage })
  device.queue.writeBuffer(made, 0, data.buffer as ArrayBuffer, data.byteOffset, data.byteLength)
  return made
}

async function numbersOf(from: GpuBuffer): Promise<number[]> {
  const copy = device.createBuffer({ size: from.size, usage: MAP_READ | COPY_DST })
  const encoder = device.createCommandEncoder()
  encoder.copyBufferToBuffer(from, 0, copy, 0, from.size)
  device.queue.submit([encoder.finish()])
  await copy.mapAsync(MAP_READ)
  const numbers = Array.from(new Float32Array(copy.getMappedRange()))
  copy.unmap()
  return numbers
}

async function onBuffers(on: GpuDevice, loss: Parameters<typeof webgpuLoss>[1], inputs: Omit<WebgpuBuffers, 'value' | 'grad'>, call: WebgpuCall): Promise<{ value: number[]; grad: number[] }> {
  const length = call.shape.reduce((a, b) => a * b, 1)
  const [value, grad] = [buffer(new Float32Array(1)), buffer(new Float32Array(length))]
  webgpuLoss(on, loss).valueAndGrad({ ...inputs, value, grad }, call)
  return { value: await numbersOf(value), grad: await numbersOf(grad) }
}

const next = seeded(7)
const shape = [130, 5, 3]
const x = Float32Array.from({ length: 1950 }, () => 8 * next() - 4)
const indices = Int32Array.from({ length: 390 }, () => Math.floor(6 * next()))
const labels = Float32Array.from(x, () => (next() < 0.5 ? 0 : next()))
const weights = Float32Array.from({ length: 390 }, () => next())
const mask = Float32Array.from({ length: 390 }, () => Number(next() < 0.8))
/** The same device, with bindings so short that a call takes three. */
const narrow: GpuDevice = new Proxy(device, {
  get(target, name) {
    if (name === 'limits') return { maxBufferSize: 2 ** 28, maxStorageBufferBindingSize: 64 * 15 * 4 + 100, maxComputeWorkgroupsPerDimension: 2 }
    const found: unknown = Reflect.get(target, name)
    return typeof found === 'function' ? (found.bind(target) as unknown) : found
  },
})
const calls: WebgpuReport['calls'] = []
for (const Loss of [SigmoidFocalLoss, SoftmaxFocalLoss]) {
  for (const reduction of ['sum', 'mean', 'mean-rows', 'mean-positives'] as const) {
    const loss = new Loss({ reduction, background: 5, classWeights: [1, 2, 0.5, 1, 3], backend: 'js' })
    const inputs = { logits: buffer(x), weights: buffer(weights), mask: buffer(mask) }
    for (const on of [device, narrow]) {
      for (const targetKind of ['class-index', 'labels'] as const) {
        const targets = targetKind === 'labels' ? labels : indices
        const call = { shape, classAxis: 1, targetKind, gradScale: 2 }
        const exact = loss.valueAndGrad(Float64Array.from(x), targets, { ...call, weights, mask })
        const { value, grad } = await onBuffers(on, loss, { ...inputs, targets: buffer(targets) }, call)
        const host = await webgpuLoss(on, loss).valueAndGradAsync(x, targets, { ...call, weights, mask })
        const largest = Math.max(...exact.grad.map(Math.abs))
        const error = Math.max(...grad.map((g, i) => Math.abs(g - exact.grad[i]) / largest))
        calls.push({ title: `${Loss.name} ${reduction} ${targetKind} ${on === device ? '' : 'in stretches'}`, value: Math.abs(value[0] / exact.value - 1), grad: error, isSameFromHost: host.value === value[0] && host.grad.every((g, i) => g === grad[i]) })
      }
    }
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
const mine = webgpuLoss(device, loss)
const four = (): GpuBuffer => buffer(new Float32Array(4))
await refusal(() => mine.valueAndGradAsync(Float32Array.of(1, 2), [0, 2]))
await refusal(() => mine.valueAndGradAsync(Float64Array.of(1, 2) as unknown as Float32Array, [0, 1]))
await refusal(() => mine.valueAndGrad({ logits: four(), targets: four(), value: buffer(new Float32Array(1), COPY_DST) }, { shape: [4], targetKind: 'labels' }))
await refusal(() => mine.valueAndGrad({ logits: four(), targets: four(), value: four() }, { shape: [5], targetKind: 'labels' }))
await refusal(() => mine.valueAndGrad({ logits: four(), targets: four(), value: four() }, { shape: [4] } as unknown as WebgpuCall))
await refusal(() => webgpuLoss(device, new SigmoidFocalLoss({ inputs: 'probabilities' })))
await refusal(() => webgpuLoss({} as GpuDevice, loss))
await refusal(() => webgpuLoss(narrow, loss).valueAndGradAsync(new Float32Array(4000), new Float32Array(4000), { shape: [2, 2000] }))
const before = await mine.valueAndGradAsync(Float32Array.of(1), [1])
device.destroy()
await device.lost
await refusal(() => mine.valueAndGradAsync(Float32Array.of(1), [1]))

const answer = JSON.stringify({ golden, calls, refused, before: before.value } satisfies WebgpuReport)
for (let written = 0; written < answer.length; ) written += writeSync(1, answer.slice(written, written + 2 ** 15))
