/** The base of the losses whose elements know nothing of each other: their Hessian is a diagonal. */
import type { DevicePointer } from '../arrays/device_array.js'
import type { DerivativeOutput, DeviceLogits, Logits, SameKind } from '../arrays/logits.js'
import type { Targets } from '../arrays/numeric_array.js'
import { surplus } from '../errors.js'
import { type Abortable, type HessCall, methods } from '../problem/call.js'
import type { Reduction } from '../problem/options.js'
import { FocalLossBase, type Reduced } from './base.js'

/** What all element-wise losses share, beside {@link FocalLossBase}. `O`: the options of a loss's own. */
export abstract class ElementwiseLoss<R extends Reduction = Reduction, O extends object = object> extends FocalLossBase<R, O> {
  /**
   * Loss, gradient and the diagonal of the Hessian of the reduced loss (with 'none': of the sum), in one pass. The
   * second derivative is exact, and may be negative: for badly wrong elements, or where soft labels pass by. Boosters, which
   * divide by it, pass `clampHess`.
   *
   * @returns `grad` and `hess`, as long as the logits: `call.grad` and `call.hess`, or new arrays.
   */
  valueGradAndHess<A extends Logits | DeviceLogits, G extends A | DerivativeOutput<A> = A, H extends A | DerivativeOutput<A> = A>(
    logits: A,
    targets: Targets | DevicePointer,
    call: HessCall<A, G, H> = {},
  ): { value: Reduced<R, A>; grad: SameKind<G>; hess: SameKind<H> } {
    if (arguments.length > 3) throw surplus('valueGradAndHess()', 3, arguments.length)
    const { value, grad, hess } = this.compute(methods.valueGradAndHess, logits, targets, call)
    return { value: value as Reduced<R, A>, grad: grad as SameKind<G>, hess: hess as SameKind<H> }
  }

  /** As {@link valueGradAndHess}, while the event loop keeps turning: see {@link FocalLossBase.valueAndGradAsync}. */
  async valueGradAndHessAsync<A extends Logits | DeviceLogits, G extends A | DerivativeOutput<A> = A, H extends A | DerivativeOutput<A> = A>(
    logits: A,
    targets: Targets | DevicePointer,
    call: HessCall<A, G, H> & Abortable = {},
  ): Promise<{ value: Reduced<R, A>; grad: SameKind<G>; hess: SameKind<H> }> {
    if (arguments.length > 3) throw surplus('valueGradAndHessAsync()', 3, arguments.length)
    const { value, grad, hess } = await this.computeAsync(methods.valueGradAndHessAsync, logits, targets, call)
    return { value: value as Reduced<R, A>, grad: grad as SameKind<G>, hess: hess as SameKind<H> }
  }
}
