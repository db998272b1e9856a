/** torchvision-style functions, with reduction 'none' by default. */
import type { DeviceLogits, Logits } from '../arrays/logits.js'
import type { Targets } from '../arrays/numeric_array.js'
import { methods, type ValueCall } from '../problem/call.js'
import type { DevicePointer } from '../arrays/device_array.js'
import type { Reduced } from './base.js'
import { SigmoidFocalLoss, type SigmoidFocalOptions, sigmoidFocalRules } from './sigmoid_focal.js'
import { SoftmaxFocalLoss, type SoftmaxFocalOptions, softmaxFocalRules } from './softmax_focal.js'
import { checkNames, checkRecord } from '../arguments.js'
import { optionNames, type Reduction } from '../problem/options.js'
import { surplus } from '../errors.js'

/**
 * The sigmoid focal loss in one call, as `torchvision.ops.sigmoid_focal_loss`: `alpha` 0.25, `gamma` 2, `reduction`
 * 'none'. `options` takes the options of {@link SigmoidFocalLoss} and of its `value`. In a loop, create the loss
 * object once: this function checks all options on every call.
 *
 * @returns one loss per logit, in `options.out` or a new array of the logits' kind; with a reduction, a number.
 *
 * @example
 * ```js
 * import { sigmoidFocalLoss } from 'focal-loss'
 *
 * console.log(sigmoidFocalLoss(new Float32Array([2.2, -1.4]), [1, 0])) // 0.000261 and 0.00647
 * ```
 */
export function sigmoidFocalLoss<A extends Logits | DeviceLogits, R extends Reduction = 'none'>(
  logits: A,
  targets: Targets | DevicePointer,
  options: SigmoidFocalOptions<R> & ValueCall<A> = {},
): Reduced<R, A> {
  if (arguments.length > 3) throw surplus('sigmoidFocalLoss()', 3, arguments.length)
  checkAll(options, optionNames(sigmoidFocalRules), 'sigmoidFocalLoss()')
  const [call, ofLoss] = split<A, SigmoidFocalOptions<R>>(options)
  const reduction = ofLoss.reduction ?? ('none' as R)
  return new SigmoidFocalLoss({ ...ofLoss, reduction }).value(logits, targets, call)
}

/**
 * The softmax focal loss in one call: `alpha` off, `gamma` 2, `reduction` 'none'. `options` takes the options of
 * {@link SoftmaxFocalLoss} and of its `value`. In a loop, create the loss object once: this function checks all
 * options on every call.
 *
 * @returns one loss per row, in `options.out` or a new array of the logits' kind; with a reduction, a number.
 *
 * @example
 * ```js
 * import { softmaxFocalLoss } from 'focal-loss'
 *
 * const logits = new Float32Array([2, 0.5, -1, 0, 0.3, 1])
 * console.log(softmaxFocalLoss(logits, Int32Array.of(0, 1), { shape: [2, 3] })) // 0.0111 and 0.712
 * ```
 */
export function softmaxFocalLoss<A extends Logits | DeviceLogits, R extends Reduction = 'none'>(
  logits: A,
  targets: Targets | DevicePointer,
  options: SoftmaxFocalOptions<R> & ValueCall<A> = {},
): Reduced<R, A> {
  if (arguments.length > 3) throw surplus('softmaxFocalLoss()', 3, arguments.length)
  checkAll(options, optionNames(softmaxFocalRules), 'softmaxFocalLoss()')
  const [call, ofLoss] = split<A, SoftmaxFocalOptions<R>>(options)
  const reduction = ofLoss.reduction ?? ('none' as R)
  return new SoftmaxFocalLoss({ ...ofLoss, reduction }).value(logits, targets, call)
}

function checkAll(options: object, names: readonly string[], what: string): void {
  checkRecord('options', options)
  checkNames(options, new Set([...names, ...methods.value.options]), what)
}

/** The options of the call, and those of the loss. */
function split<A extends Logits | DeviceLogits, O extends object>(options: O & ValueCall<A>): [ValueCall<A>, O] {
  const ofCall = methods.value.options
  const pick = (wanted: boolean): object =>
    Object.fromEntries(Object.entries(options).filter(([name]) => ofCall.has(name) === wanted))
  return [pick(true), pick(false) as O]
}
