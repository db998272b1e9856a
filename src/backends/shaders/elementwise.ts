/** The element-wise losses as kernels. */
import { elementShader } from '../../formulas/shaders/element.js'
import { literal, type ShaderText } from '../../formulas/shaders/language.js'
import type { LossConstants } from '../../problem/constants.js'
import { goalShader } from './goals.js'
import { extraInputs, type KernelOptions, layout, type LossKernels, maskText, scaleOf, weightText, withCount } from './kernel.js'
import { partsOf } from './sums.js'

export function elementwiseKernels(loss: LossConstants, options: KernelOptions): LossKernels {
  const { kind, isHalf } = options
  const { formula, classPositive, classNegative, positiveWeight, negativeWeight } = loss
  const balance = classPositive === null || classNegative === null ? null : Float32Array.from([...classPositive, ...classNegative])
  const [wp, wn] = balance === null ? [literal(positiveWeight), literal(negativeWeight)] : ['read_balance(c)', 'read_balance(uniforms.classes + c)']
  const goals = goalShader(loss, kind, isHalf)
  const goalAt = `goal_of(read_targets(${kind === 'labels' ? 'i' : 'row_of(i)'}), c)`
  const costs: ShaderText = `${elementShader(formula.code, loss)}${layout}${weightText(options)}${maskText(options)}${goals}
fn cost_at(i: i32) -> Element {
  let c: i32 = class_of(i);
  let g: Goal = ${goalAt};
  if (!g.is_valid || !is_kept(i)) {
    return Element(0.0, 0.0, 0.0);
  }
  if (!g.is_known) {
    return Element(not_a_number(), not_a_number(), not_a_number());
  }
  let w: f32 = weight_at(i);
  return element(read_logits(i), g.y, g.rest, w * ${wp}, w * ${wn});
}
`
  const inputs = ['logits', 'targets', ...(balance === null ? [] : ['balance']), ...extraInputs(options, 'weights', 'mask')]
  const uniforms = { classes: 'i32', inner: 'i32', factor: 'f32', least: 'f32', each: 'i32' } as const

  return {
    balance,
    rows: null,
    sums: (isCounted) => ({
      inputs: withCount(inputs, isCounted),
      uniforms: { ...uniforms, parts: 'i32' },
      text: `${costs}${partsOf('cost_at(i).value', scaleOf(isCounted))}`,
    }),
    gradient: (isCounted) => ({
      inputs: [...withCount(inputs, isCounted), 'seeds'],
      uniforms,
      text: `${costs}
fn output_at(i: i32) -> f32 {
  return cost_at(i).grad * (read_seeds(i / uniforms.each) * ${scaleOf(isCounted)});
}
`,
    }),
  }
}
