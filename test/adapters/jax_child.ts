/** Runs losses at the end of models on jax-js's webgpu backend, by Dawn; see test/support/dawn.ts. Prints what test/adapters/jax_webgpu.test.ts reads. */
import { writeSync } from 'node:fs'
import * as jax from '@jax-js/jax'
import { SigmoidFocalLoss, SoftmaxFocalLoss } from 'focal-loss'
import { jaxValueAndGrad } from 'focal-loss/jax'
import { create, globals } from 'webgpu'
import type { JaxReport } from './jax_webgpu.test.js'

// Kept until the end: what is collected ends the process
const gpu = create([])
Object.assign(globalThis, globals)
Object.defineProperty(globalThis, 'navigator', { value: { gpu, userAgent: 'Node.js' }, configurable: true })
const started = await jax.init('webgpu')
jax.defaultDevice('webgpu')
const { numpy: np } = jax
const device = jax.getWebGPUDevice()

/** What is read back, in bytes. */
let read = 0
const createBuffer = device.createBuffer.bind(device)
device.createBuffer = (descriptor) => {
  if ((descriptor.usage & GPUBufferUsage.MAP_READ) !== 0) read += descriptor.size
  return createBuffer(descriptor)
}

const inputs = Float32Array.from({ length: 16 }, (_, i) => Math.sin(3 * i))
const weight = Float32Array.of(0.5, -1, 2, 0.25, 0, 1)
const labels = Float32Array.from({ length: 24 }, (_, i) => (i % 5 === 0 ? 1 : 0))
const classes = Int32Array.from({ length: 8 }, (_, i) => i % 3)
const model = (w: jax.Array, x: jax.Array) => np.matmul(x, w)
/** Numbers from 0 to 1, so steep. */
const SLOPE = 0.1
const ofProbabilities = (w: jax.Array, x: jax.Array) => model(w, x).mul(SLOPE).add(0.5)
const x = () => np.array(inputs, { shape: [8, 2] })
const w = () => np.array(weight, { shape: [2, 3] })

const logits = Float64Array.from({ length: 24 }, (_, i) => inputs[2 * Math.floor(i / 3)] * weight[i % 3] + inputs[2 * Math.floor(i / 3) + 1] * weight[3 + (i % 3)])
const results: JaxReport['results'] = []
const cases = [
  ['labels', new SigmoidFocalLoss({ backend: 'js' }), labels, () => labels],
  ['labels of jax-js', new SigmoidFocalLoss({ backend: 'js', reduction: 'mean-positives' }), labels, () => np.array(labels, { shape: [8, 3] })],
  ['class indices', new SoftmaxFocalLoss({ backend: 'js' }), classes, () => classes],
  ['class indices of jax-js', new SoftmaxFocalLoss({ backend: 'js' }), classes, () => np.array(classes, { dtype: jax.DType.Int32 })],
  ['probabilities', new SigmoidFocalLoss({ backend: 'js', inputs: 'probabilities' }), labels, () => labels],
  ['no reduction', new SigmoidFocalLoss({ backend: 'js', reduction: 'none' }), labels, () => labels],
] as const
for (const [title, loss, targets, given] of cases) {
  const call = title === 'labels' ? { weights: Float32Array.from({ length: 8 }, (_, i) => i), mask: Uint8Array.from({ length: 24 }, (_, i) => Number(i !== 4)) } : {}
  const areProbabilities = loss.options.inputs === 'probabilities'
  const exact = loss.valueAndGrad(areProbabilities ? logits.map((x) => SLOPE * x + 0.5) : logits, targets, { shape: [8, 3], ...call })
  read = 0
  const [value, grad] = await jaxValueAndGrad(jax, loss, areProbabilities ? ofProbabilities : model)(w(), x(), given(), call)
  const readBack = read
  const ofWeight = weight.map((_, k) => exact.grad.reduce((sum, g, i) => sum + (i % 3 === k % 3 ? g * inputs[2 * Math.floor(i / 3) + Math.floor(k / 3)] : 0), 0))
  const computed = (await grad.data()) as Float32Array
  const [a, b] = [value, exact.value].map((each) => (typeof each === 'number' ? each : Array.from(each).reduce((sum, one) => sum + one, 0)))
  results.push({ title, readBack, value: Math.abs(a / b - 1), grad: Math.max(...computed.map((g, k) => Math.abs(g - (areProbabilities ? SLOPE : 1) * ofWeight[k]))) })
}
let refused = ''
try {
  await jaxValueAndGrad(jax, new SigmoidFocalLoss(), model)(w(), x(), labels.with(3, 2))
} catch (error) {
  refused = String(error)
}
const answer = JSON.stringify({ started, results, refused } satisfies JaxReport)
for (let written = 0; written < answer.length; ) written += writeSync(1, answer.slice(written, written + 2 ** 15))
device.destroy()
Object.assign(globalThis, { kept: gpu })
