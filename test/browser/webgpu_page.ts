/** Runs in the page: the backend webgpu on the suites' problems, and focal-loss/webgpu on a device of the page's own. */
import { backends, init, SigmoidFocalLoss, SoftmaxFocalLoss } from 'focal-loss'
import { type GpuBuffer, webgpuLoss } from 'focal-loss/webgpu'
import { largestError } from '../support/closeness.js'
import { bufferOf, numbersIn } from '../support/gpu_buffers.js'
import { type WebgpuReport, webgpuReport } from '../support/webgpu_report.js'

export interface WebgpuPageReport extends WebgpuReport {
  readonly before: string
  readonly description: string
  /** Of a loss from buffers into buffers, on the page's device. */
  readonly onBuffers: readonly { readonly value: number; readonly grad: number }[]
  /** Whether the backend runs on a device that it is given. */
  readonly onGiven: number
}

const reasonNow = () => backends().find(({ name }) => name === 'webgpu')
const before = reasonNow()?.reason ?? ''
await init('webgpu')
const description = reasonNow()?.description ?? ''
const report = await webgpuReport(30)

const adapter = await navigator.gpu.requestAdapter()
const device = (await adapter?.requestDevice()) as GPUDevice

const buffer = (data: Float32Array | Int32Array) => bufferOf(device, data)
const numbersOf = (from: GpuBuffer) => numbersIn(device, from)

const shape = [50, 4]
const x = Float32Array.from({ length: 200 }, (_, k) => 5 * Math.sin(k))
const targets = Int32Array.from({ length: 50 }, (_, r) => r % 4)
const onBuffers: { value: number; grad: number }[] = []
for (const Loss of [SigmoidFocalLoss, SoftmaxFocalLoss]) {
  const exact = new Loss({ backend: 'js' }).valueAndGrad(x, targets)
  const buffers = { logits: buffer(x), targets: buffer(targets), value: buffer(new Float32Array(1)), grad: buffer(new Float32Array(200)) }
  webgpuLoss(device, new Loss()).valueAndGrad(buffers, { shape, targetKind: 'class-index' })
  onBuffers.push({ value: largestError(await numbersOf(buffers.value), [exact.value]), grad: largestError(await numbersOf(buffers.grad), exact.grad) })
}

await init('webgpu', { device })
const onGiven = (await new SigmoidFocalLoss({ backend: 'webgpu' }).valueAndGradAsync(Float32Array.of(1), [1])).value
Object.assign(globalThis, { result: { ...report, before, description, onBuffers, onGiven } satisfies WebgpuPageReport })
