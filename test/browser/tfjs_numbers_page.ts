/** Runs in the page: the losses composed of TensorFlow.js's operations against their definitions, on the backend that the address names. */
import * as tf from '@tensorflow/tfjs-core'
import '@tensorflow/tfjs-layers'
import '@tensorflow/tfjs-backend-webgl'
import '@tensorflow/tfjs-backend-webgpu'
import { type Agreement, agreements, type Mean, means } from '../support/tfjs_agreement.js'

export interface TfjsNumbers {
  readonly backend: string
  readonly agreements: readonly Agreement[]
  readonly means: readonly Mean[]
}

const { searchParams } = new URL(location.href)
const isHalf = searchParams.has('half')
if (isHalf) tf.env().set('WEBGL_FORCE_F16_TEXTURES', true)
await tf.setBackend(searchParams.get('backend') ?? '')
const result: TfjsNumbers = { backend: tf.getBackend(), agreements: await agreements(tf), means: await (isHalf ? means(tf, 2 ** 17, [1, 8, 2 ** 17]) : means(tf, 5000, [8])) }
Object.assign(globalThis, { result })
