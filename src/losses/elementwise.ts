/** The base class of element-wise losses. */
import type { Reduction } from '../problem/options.js'
import { FocalLossBase } from './base.js'

/** What all element-wise losses are: the diagonal that {@link FocalLossBase.valueGradAndHess} gives is all of their Hessian. `O`: the options of a loss's own. */
export abstract class ElementwiseLoss<R extends Reduction = Reduction, O extends object = object> extends FocalLossBase<R, O> {}
