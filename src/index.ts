/**
 * The focal loss family: value and exact derivatives in one pass over the data. This entry runs anywhere, on
 * WebAssembly or plain JavaScript; on Node.js the package's main entry adds the native addon.
 *
 * @packageDocumentation
 */
export type { Accumulator, ChunkCall } from './accumulator.js'
export type { Float16, Logits, Numbers, NumericArray, SameKind, Targets } from './arrays.js'
export type { Abortable, CallOptions, GradCall, HessCall, ProbabilityCall, StorageOptions, SumsCall, ValueCall } from './call.js'
export { ElementwiseLoss } from './elementwise_loss.js'
export { BackendError } from './errors.js'
export type { HalfDtype } from './half.js'
export { FocalLossBase, type Reduced, type Written } from './loss.js'
export type { FocalOptions, FocalResolved, Inputs, LossOptions, PerClass, Reduction, ResolvedOptions, SoftTargets } from './options.js'
export type { PriorRule } from './posterior.js'
export type { Sums } from './problem.js'
export type { BackendName } from './backends/backend.js'
export type { Dtype } from './backends/calibrate.js'
export { type BackendInfo, backends, type Calibration, calibrations, getBackend, init, setBackend } from './backends/choose.js'
export type { Explainer } from './explain/explainer.js'
export type { Bin, CurvePoint, ExplainedLoss, Explanation, HardExample, Portion, Total } from './explain/explanation.js'
export type { ExplainerOptions, ExplainOptions } from './explain/options.js'
export { type Differentiable, gradcheck, type GradcheckEntry, type GradcheckOptions, type GradcheckResult } from './gradcheck.js'
export { releaseMemory } from './backends/wasm_instance.js'
export { AsymmetricLoss, type AsymmetricOptions, type AsymmetricResolved } from './losses/asymmetric.js'
export { FocalStarLoss, type FocalStarOptions, type FocalStarResolved } from './losses/focal_star.js'
export { HeatmapFocalLoss, type HeatmapFocalOptions, type HeatmapFocalResolved } from './losses/heatmap_focal.js'
export { QualityFocalLoss, type QualityFocalOptions, type QualityFocalResolved } from './losses/quality_focal.js'
export { SigmoidFocalLoss, type SigmoidFocalOptions, type SigmoidFocalResolved } from './losses/sigmoid_focal.js'
export { SoftmaxFocalLoss, type SoftmaxFocalOptions } from './losses/softmax_focal.js'
export { VarifocalLoss, type VarifocalOptions, type VarifocalResolved } from './losses/varifocal.js'
export { sigmoidFocalLoss, softmaxFocalLoss } from './one_liners.js'
export { presets } from './presets.js'
