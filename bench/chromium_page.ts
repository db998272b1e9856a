/** Runs in the page of bench/chromium.ts: the backend, the loss and the number of logits are in its address. */
import * as tf from '@tensorflow/tfjs-core'
import '@tensorflow/tfjs-layers'
import '@tensorflow/tfjs-backend-webgl'
import '@tensorflow/tfjs-backend-webgpu'
import { ratiosOf } from './tfjs_gpu.js'

const query = new URL(location.href).searchParams
await tf.setBackend(query.get('backend') ?? '')
Object.assign(globalThis, { result: await ratiosOf(tf, Number(query.get('logits')), Number(query.get('rounds')), Number(query.get('loss'))) })
