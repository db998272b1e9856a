/** The element-wise losses as kernels. */
import { toleranceOf } from '../../formulas/number_range.js'
import { elementShader, probabilityShader } from '../../formulas/shaders/element.js'
import { gammaParts } from '../../formulas/shaders/elementary.js'
import { literal, type ShaderText } from '../../formulas/shaders/language.js'
import type { LossConstants } from '../../problem/constants.js'
import { goalOf, goalShader } from './goals.js'
import { boundedHess, extraInputs, type KernelOptions, layout, type LossKernels, maskText, ownInputs, rangeOfOptions, scaleOf, seedsOf, targetInputs, weightText, withCount } from './kernel.js'
import { summed } from './sums.js'

export function elementwiseKernels(loss: LossConstants, options: KernelOptions): LossKernels {
  const { formula, classPositive, classNegative, classGamma, positiveWeight, negativeWeight } = loss
  const balance = classPositive === null || classNegative === null ? null : Float32Array.from([...classPositive, ...classNegative, ...gammaParts(classGamma ?? [])])
  const [wp, wn] = balance === null ? [literal(positiveWeight), literal(negativeWeight)] : ['read_balance(c)', 'read_balance(uniforms.classes + c)']
  const gamma = classGamma === null ? '' : ', read_balance(2 * uniforms.classes + c), read_balance(3 * uniforms.classes + c)'
  const goalAt = goalOf(options)
  // Divisions of integers are slow: only what depends on the class asks for it
  const classAt = options.kind === 'labels' && balance === null ? '0' : 'class_of(i)'
  const isPerClass = classGamma !== null
  const formulaText = loss.inputs === 'logits' ? elementShader(formula.code, loss, isPerClass) : probabilityShader(formula.code, loss, rangeOfOptions(options), toleranceOf(options.dtype), isPerClass)
  const costs: ShaderText = `${formulaText}${layout(options)}${weightText(options)}${maskText(options)}${goalShader(loss, options)}
/** Times a scale, so that what is scaled up is not flushed to 0 before. */
fn cost_at(i: i32, scale: f32) -> Element {
  let c: i32 = ${classAt};
  let g: Goal = ${goalAt};
  if (!g.is_valid || !is_kept(i)) {
    return Element(0.0, 0.0, 0.0);
  }
  let w: f32 = weight_at(i);
  if (!g.is_known || is_nan(w)) {
    return Element(not_a_number(), not_a_number(), not_a_number());
  }
  return element(read_logits(i), g.y, g.rest, scale * w * ${wp}, scale * w * ${wn}${gamma});
}
`
  const seeds = seedsOf(options)
  const inputs = ['logits', ...targetInputs(options), ...(balance === null ? [] : ['balance']), ...extraInputs(options, 'weights', 'mask')]
  const uniforms = { classes: 'i32', inner: 'i32', factor: 'f32', least: 'f32', each: 'i32' } as const

  return {
    balance,
    rows: null,
    curves: null,
    sums: (isCounted) => ({
      inputs: withCount(inputs, isCounted),
      uniforms: { ...uniforms, parts: 'i32' },
      own: ownInputs(options),
      text: `${costs}${summed('cost_at(i, 1.0).value', scaleOf(isCounted))}`,
      isSum: true,
    }),
    sumsAndGradient: (isCounted) => ({
      inputs: withCount(inputs, isCounted),
      uniforms: { ...uniforms, parts: 'i32', scale: 'f32', gradFactor: 'f32' },
      beside: 'grad',
      text: `${costs}
fn value_at(i: i32) -> f32 {
  let cost: Element = cost_at(i, uniforms.scale);
  set_grad(i, cost.grad * ${scaleOf(isCounted, 'gradFactor')});
  return cost.value;
}
${summed('value_at(i)', scaleOf(isCounted))}`,
      isSum: true,
    }),
    gradient: (isCounted) => ({
      inputs: [...withCount(inputs, isCounted), ...seeds.inputs],
      own: ownInputs(options),
      uniforms,
      text: `${costs}
fn output_at(i: i32) -> f32 {
  return cost_at(i, ${seeds.seed} * ${scaleOf(isCounted)}).grad;
}
`,
    }),
    hess: (isCounted) => ({
      inputs: withCount(inputs, isCounted),
      uniforms: { ...uniforms, leastHess: 'f32' },
      text: `${costs}
fn output_at(i: i32) -> f32 {
  let c: i32 = ${classAt};
  let g: Goal = ${goalAt};
  if (!g.is_valid || !is_kept(i)) {
    return 0.0;
  }
  let hess: f32 = cost_at(i, ${scaleOf(isCounted)}).hess;
  return ${boundedHess('hess')};
}
`,
    }),
  }
}
