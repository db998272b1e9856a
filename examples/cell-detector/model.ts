import path from 'node:path'
import { createRequire } from 'node:module'
import * as tf from '@tensorflow/tfjs-core'
import { initializers, layers, sequential, type Sequential } from '@tensorflow/tfjs-layers'
import { setWasmPaths } from '@tensorflow/tfjs-backend-wasm'
import { FEATURES } from './features.js'
import { CELLS } from './grid.js'
import { speedUpTransposedProducts } from './transposed_products.js'

const HIDDEN = [32, 16]

/** How many images' cells go through the network at once; 4 was the fastest of 2, 4 and 8. */
export const IMAGES_AT_ONCE = 4

/** Starts TensorFlow.js on WebAssembly, from the files of its own package. */
export async function startTensorFlow(): Promise<void> {
  const folder = path.dirname(createRequire(import.meta.url).resolve('@tensorflow/tfjs-backend-wasm'))
  setWasmPaths(folder + path.sep)
  await tf.setBackend('wasm')
  await tf.ready()
  speedUpTransposedProducts()
}

/** Dense layers that see one cell. The same seed gives the same weights; only the last bias is the caller's. */
export function buildModel(seed: number, bias: number): Sequential {
  const model = sequential()
  HIDDEN.forEach((units, index) => {
    const kernelInitializer = initializers.heNormal({ seed: seed + index })
    model.add(layers.dense({ units, activation: 'relu', kernelInitializer, ...(index === 0 ? { inputShape: [FEATURES] } : {}) }))
  })
  // Small last weights, as in the paper: at the start the bias alone decides what the network says.
  const kernelInitializer = initializers.randomNormal({ stddev: 0.01, seed: seed + HIDDEN.length })
  model.add(layers.dense({ units: 1, kernelInitializer, biasInitializer: initializers.constant({ value: bias }) }))
  return model
}

/** One logit a cell. */
export function predictLogits(model: Sequential, features: Float32Array): Float32Array {
  const cells = features.length / FEATURES
  const logits = new Float32Array(cells)
  const batch = IMAGES_AT_ONCE * CELLS
  for (let start = 0; start < cells; start += batch) {
    const end = Math.min(cells, start + batch)
    tf.tidy(() => {
      const input = tf.tensor2d(features.subarray(start * FEATURES, end * FEATURES), [end - start, FEATURES])
      logits.set((model.apply(input) as tf.Tensor2D).dataSync<'float32'>(), start)
    })
  }
  return logits
}
