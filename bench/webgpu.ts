/**
 * WebGPU in Node.js, by Dawn: how much of a buffer copy's bandwidth value and gradient have, and how much faster TensorFlow.js is fused
 * than composed. `npx tsx bench/webgpu.ts [logits]`, by default 262,144; on SwiftShader with the variables of test/support/dawn.ts. Prints
 * one line of JSON.
 */
import * as tf from '@tensorflow/tfjs-core'
import '@tensorflow/tfjs-layers'
import { SigmoidFocalLoss } from 'focal-loss'
import { webgpuLoss } from 'focal-loss/webgpu'
import { create, globals } from 'webgpu'
import { ratiosOf } from './tfjs_gpu.js'

const CLASSES = 64
const ROUNDS = 7
const n = Number(process.argv[2] ?? 262_144)

// Kept until the end: what is collected ends the process
const gpu = create([])
Object.assign(globalThis, globals)
Object.defineProperty(globalThis, 'navigator', { value: { gpu }, configurable: true })
await import('@tensorflow/tfjs-backend-webgpu')
await tf.setBackend('webgpu')
const { device, adapterInfo } = tf.backend() as unknown as { device: GPUDevice; adapterInfo?: { architecture: string; description: string; vendor: string } }

const x = Float32Array.from({ length: n }, (_, i) => 8 * Math.sin(i))
const labels = Float32Array.from(x, (_, i) => Number(i % 50 === 0))

/** Milliseconds of each, the least of several rounds in turn. */
async function leastOf(calls: Record<string, () => unknown>): Promise<Record<string, number>> {
  const least: Record<string, number> = {}
  for (let round = 0; round <= ROUNDS; round++) {
    for (const [name, call] of Object.entries(calls)) {
      const start = performance.now()
      await call()
      await device.queue.onSubmittedWorkDone()
      // The first round compiles
      if (round > 0) least[name] = Math.min(least[name] ?? Infinity, performance.now() - start)
    }
  }
  return least
}

const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST
const bufferOf = (data: Float32Array<ArrayBuffer>) => {
  const buffer = device.createBuffer({ size: data.byteLength, usage })
  device.queue.writeBuffer(buffer, 0, data)
  return buffer
}
const buffers = { logits: bufferOf(x), targets: bufferOf(labels), value: bufferOf(new Float32Array(1)), grad: bufferOf(new Float32Array(n)) }
const loss = webgpuLoss(device, new SigmoidFocalLoss())
const onBuffers = await leastOf({
  copy() {
    const encoder = device.createCommandEncoder()
    encoder.copyBufferToBuffer(buffers.logits, 0, buffers.grad, 0, 4 * n)
    device.queue.submit([encoder.finish()])
  },
  loss: () => loss.valueAndGrad(buffers, { shape: [n / CLASSES, CLASSES], targetKind: 'labels' }),
})
// A copy reads and writes n numbers; a loss reads logits and targets, and writes n
const share = (3 / 2) * (onBuffers.copy / onBuffers.loss)

const ratios: Record<string, number> = {}
for (const { title, composed, fused, kernels } of await ratiosOf(tf, n, 3)) {
  Object.assign(ratios, { [`${title}: composed ms`]: composed, [`${title}: fused ms`]: fused, [`${title}: composed / fused`]: composed / fused, [`${title}: kernels`]: kernels })
}

const adapter = adapterInfo === undefined ? '' : `${adapterInfo.vendor} ${adapterInfo.architecture} ${adapterInfo.description}`.trim()
console.log(JSON.stringify({ adapter, logits: n, 'copy ms': onBuffers.copy, 'loss ms': onBuffers.loss, "share of a copy's bandwidth": share, ...ratios }))
device.destroy()
Object.assign(globalThis, { kept: gpu })
