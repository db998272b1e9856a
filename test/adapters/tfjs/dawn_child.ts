/** Runs the losses on TensorFlow.js's webgpu backend in Node.js, which has WebGPU by Dawn; see test/support/dawn.ts. */
import { writeSync } from 'node:fs'
import * as tf from '@tensorflow/tfjs-core'
import '@tensorflow/tfjs-layers'
import '@tensorflow/tfjs-backend-cpu'
import { create, globals } from 'webgpu'
import { lossNames } from '../../support/loss_names.js'
import { gpuReport } from '../../support/tfjs_gpu.js'

// Kept until the end: what is collected ends the process
const gpu = create([])
Object.assign(globalThis, globals)
Object.defineProperty(globalThis, 'navigator', { value: { gpu }, configurable: true })
// It looks for WebGPU when it is loaded
await import('@tensorflow/tfjs-backend-webgpu')
const answer = JSON.stringify(await gpuReport(tf, 'webgpu', lossNames))
for (let written = 0; written < answer.length; ) written += writeSync(1, answer.slice(written, written + 2 ** 15))
const { device } = tf.backend() as unknown as { device: GPUDevice }
device.destroy()
Object.assign(globalThis, { kept: gpu })
