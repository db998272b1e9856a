/**
 * The focal loss family: value and exact derivatives in one pass over the data. This entry runs anywhere, on
 * WebAssembly or plain JavaScript; on Node.js the package's main entry adds the native addon.
 *
 * @packageDocumentation
 */
export type { Logits, Numbers, NumericArray, SameKind, Targets } from './arrays.js'
export type { BackendName } from './backends/backend.js'
export { type BackendInfo, backends, type Calibration, calibrations, getBackend, init, setBackend } from './backends/choose.js'
export { type Differentiable, gradcheck, type GradcheckEntry, type GradcheckOptions, type GradcheckResult } from './gradcheck.js'
export { releaseMemory } from './backends/wasm.js'
export { BackendError } from './errors.js'
export { FocalLossBase, type PriorRule, type Reduced, type Written } from './loss.js'
export { SigmoidFocalLoss, type SigmoidFocalOptions } from './losses/sigmoid_focal.js'
export { SoftmaxFocalLoss, type SoftmaxFocalOptions } from './losses/softmax_focal.js'
export { sigmoidFocalLoss, softmaxFocalLoss } from './one_liners.js'
export type { FocalOptions, PerClass, Reduction, ResolvedOptions, SoftTargets } from './options.js'
export { presets } from './presets.js'
export type { CallOptions, GradCall, HessCall, ProbabilityCall, Sums, SumsCall, ValueCall } from './problem.js'
