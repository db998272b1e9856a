/**
 * The focal loss family on Node.js: everything of the default entry, and the native addon.
 *
 * @module focal-loss
 */
import { registerBackend } from './backends/choose.js'
import { nativeLoader } from './native_addon.js'

registerBackend('native', nativeLoader)

export * from './index.js'
