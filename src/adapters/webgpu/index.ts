/**
 * Losses on WebGPU: on buffers of your own device, without reading anything back, or asynchronously on arrays in host memory. Importing it
 * also registers the backend `webgpu` in the main entry, for `init('webgpu')`. On Node.js, Bun and Deno the main entry already has it.
 *
 * @module focal-loss/webgpu
 */
import { registerBackend } from '../../backends/registry.js'
import { webgpuLoader } from '../../backends/webgpu/backend.js'

registerBackend('webgpu', webgpuLoader)

export { type GpuBuffer, type GpuDevice, type WebgpuBuffers, type WebgpuCall, webgpuDevice, type WebgpuHessBuffers, type WebgpuHessCall, type WebgpuHostCall, webgpuLoss, type WebgpuLoss, type WebgpuLossSource } from './loss.js'
