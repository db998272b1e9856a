/** Runs in the page: the losses on the GPU backend of TensorFlow.js that the address names. */
import * as tf from '@tensorflow/tfjs-core'
import '@tensorflow/tfjs-layers'
import '@tensorflow/tfjs-backend-cpu'
import '@tensorflow/tfjs-backend-webgl'
import '@tensorflow/tfjs-backend-webgpu'
import { lossNames } from '../support/loss_names.js'
import { gpuReport } from '../support/tfjs_gpu.js'

Object.assign(globalThis, { result: await gpuReport(tf, new URL(location.href).searchParams.get('backend') ?? '', lossNames) })
