/**
 * A loss at the end of a jax-js model. The caller passes the framework; this file only imports its types.
 *
 * jax-js has no custom derivatives, and what it differentiates cannot be read while it does. So the loss is no part of what is
 * differentiated: the model is, and the loss's gradient is what its pullback begins with.
 *
 * @module focal-loss/jax
 */
import type { Array as JaxArray, JsTree } from '@jax-js/jax'
import type * as jaxjs from '@jax-js/jax'
import { checkLossMethods, checkNames, checkRecord } from '../arguments.js'
import type { Targets } from '../arrays/numeric_array.js'
import { surplus, wrongType } from '../errors.js'
import type { FocalLossBase, Reduced } from '../losses/base.js'
import { methods } from '../problem/call.js'
import type { Reduction } from '../problem/options.js'
import { checkFramework } from './framework.js'
import type { JaxCall } from './jax_call.js'

/** What is used of jax-js: the namespace of `@jax-js/jax` will do. */
export type Jax = Pick<typeof jaxjs, 'Array' | 'numpy' | 'vjp'> & Partial<Pick<typeof jaxjs, 'getWebGPUDevice'>>

/** What is used of a loss: any of this package. */
export type JaxLoss<R extends Reduction = Reduction> = Pick<FocalLossBase<R>, 'options' | 'valueAndGrad'> & Partial<Pick<FocalLossBase<R>, 'constants' | 'sums'>>

export type { JaxCall } from './jax_call.js'

/**
 * As `jax.valueAndGrad` of a loss after a model: gives `(params, inputs, targets, call?)`, which resolves to the value and to the
 * gradient with respect to the parameters, in their structure. With reduction 'none' the value is an array, the gradient that
 * of the sum.
 *
 * As jax-js has it, arrays among the arguments are used up: pass `tree.ref(params)` and `x.ref` to keep them. What the model
 * returns are logits, float32, `[rows, classes]` or of any shape; it may call functions of `jax.jit`. Targets are an array of jax-js, or
 * what any loss takes.
 *
 * On jax-js's webgpu backend the loss is computed on the arrays' own buffers, and nothing but the value is read back (with reduction
 * 'none' or a mask of a softmax's classes, and for losses of functions, logits are read as elsewhere).
 */
export function jaxValueAndGrad<R extends Reduction, P extends JsTree<JaxArray>, I extends JsTree<JaxArray>>(
  jax: Jax,
  loss: JaxLoss<R>,
  model: (params: P, inputs: I) => JaxArray,
): (params: P, inputs: I, targets: JaxArray | Targets, call?: JaxCall) => Promise<[value: Reduced<R, Float32Array>, grad: P]> {
  if (arguments.length > 3) throw surplus('jaxValueAndGrad()', 3, arguments.length)
  checkFramework('jax', jax, ['Array', 'vjp'], 'jax-js', 'jaxValueAndGrad(jax, loss, model)')
  checkLossMethods(loss, ['valueAndGrad'])
  if (typeof model !== 'function') throw wrongType('model', model, 'a function (params, inputs) => logits')
  return async function (params, inputs, targets, call = {}) {
    if (arguments.length > 4) throw surplus('the function of jaxValueAndGrad()', 4, arguments.length)
    checkRecord('call options', call)
    checkNames(call, methods.jaxStep.options, methods.jaxStep.name)
    const [logits, pullback] = vjp(jax, (each: P) => model(each, inputs), params)
    try {
      const { shape, device } = logits
      const there = device === 'webgpu' ? await onWebGpu(jax, loss, logits, targets, call) : null
      if (there !== null) {
        const [ofParams] = pullback(there.grad)
        return [there.value as Reduced<R, Float32Array>, ofParams]
      }
      const labels = targets instanceof jax.Array ? ((await targets.data()) as Targets) : targets
      const { value, grad } = loss.valueAndGrad(await dataOf(logits), labels, { ...call, shape: shape.length === 0 ? [1] : shape })
      const [ofParams] = pullback(jax.numpy.array(grad, { shape, device }))
      return [value, ofParams]
    } finally {
      pullback.dispose()
    }
  }
}

/** The loss on the logits' own buffer. `null`, with nothing used up, where there is no kernel for it, and where the host is to say which target is invalid. */
async function onWebGpu(jax: Jax, loss: JaxLoss, logits: JaxArray, targets: JaxArray | Targets, call: JaxCall) {
  const { constants, sums, options } = loss
  if (jax.getWebGPUDevice === undefined || constants === undefined || sums === undefined || options.reduction === 'none') return null
  // With the first use: pages without WebGPU do not load it
  const { arraysOnWebGpu } = await import('./jax_webgpu.js')
  return arraysOnWebGpu(jax.numpy, jax.getWebGPUDevice(), { constants, options, sums: sums.bind(loss) }, logits, targets, call)
}

async function dataOf(logits: JaxArray): Promise<Float32Array> {
  const { dtype } = logits
  const data: unknown = await logits.data()
  if (!(data instanceof Float32Array)) throw new TypeError(`the model's logits have dtype ${dtype}; expected float32`)
  return data
}

/** `jax.vjp`, whose type does not reach through that of parameters which are not known yet. */
function vjp<P>(jax: Jax, f: (params: P) => JaxArray, params: P) {
  const pull = jax.vjp as unknown as (f: (params: P) => JaxArray, primals: [P]) => [JaxArray, jaxjs.OwnedFunction<(seed: JaxArray) => [P]>]
  return pull(f, [params])
}
