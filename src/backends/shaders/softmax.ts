/**
 * Losses over a softmax as kernels: what all classes of a row share, sums of the rows' losses, gradients, second derivatives. One
 * invocation reads a whole row, and may write its gradient; where that is a kernel of its own, an element of it needs only its own logit
 * and four numbers of its row.
 */
import { gammaParts } from '../../formulas/shaders/elementary.js'
import { literal } from '../../formulas/shaders/language.js'
import type { RowFocusing } from '../../formulas/shaders/softmax_focal.js'
import type { LossConstants } from '../../problem/constants.js'
import { boundedHess, extraInputs, type KernelOptions, type LossKernels, maskText, ownInputs, scaleOf, seedsOf, targetInputs, withCount } from './kernel.js'
import { rowsOfLogits } from './softmax_logits.js'
import { rowsOfProbabilities } from './softmax_probabilities.js'
import { classesLeft, rowShader } from './softmax_row.js'
import { summed } from './sums.js'

export function softmaxKernels(loss: LossConstants, options: KernelOptions): LossKernels {
  const seeds = seedsOf(options)
  const { classGamma, classPositive } = loss
  const balance = classPositive === null ? null : Float32Array.from([...classPositive, ...gammaParts(classGamma ?? [])])
  // Classes that are masked have no share in label smoothing
  const isThinned = options.mask === 'element'
  const left = loss.labelSmoothing !== 0 && isThinned ? 'classes_left(row)' : 'f32(uniforms.classes)'
  const least = literal(options.isHalf ? -6e4 : -3e38)
  const focusing: RowFocusing = 'indicesOnly' in loss.formula ? 'asymmetric' : classGamma === null ? 'one' : 'per class'
  const texts = (loss.inputs === 'logits' ? rowsOfLogits : rowsOfProbabilities)({ loss, options, focusing, left, least, isThinned })
  const terms = `${texts.formula}${rowShader(loss, options)}${texts.terms}`
  const kept = maskText(options) + classesLeft
  const inputs = ['logits', ...targetInputs(options), ...(balance === null ? [] : ['balance']), ...extraInputs(options, 'weights')]
  const ofRows = [...inputs, ...extraInputs(options, 'mask')]
  const ofElements = [...inputs, ...(isThinned ? ['mask'] : []), 'rows']
  const ofKept = isThinned ? kept : ''
  const sizes = { classes: 'i32', inner: 'i32' } as const
  return {
    balance,
    rows: {
      inputs: ofRows,
      uniforms: sizes,
      text: `${terms}${kept}${texts.shared}
fn output_at(row: i32) -> vec4<f32> {
  return shared_by(row);
}
`,
      isVector: true,
    },
    sums: (isCounted) => ({
      inputs: withCount(['rows'], isCounted),
      vectors: ['rows'],
      uniforms: { factor: 'f32', least: 'f32', each: 'i32', parts: 'i32' },
      text: summed('read_rows(i).x', scaleOf(isCounted)),
      isSum: true,
    }),
    sumsAndGradient: (isCounted) => ({
      inputs: withCount(ofRows, isCounted),
      uniforms: { ...sizes, factor: 'f32', gradFactor: 'f32', least: 'f32', each: 'i32', parts: 'i32' },
      beside: 'grad',
      text: `${terms}${kept}${texts.shared}${texts.gradient}
fn value_at(row: i32) -> f32 {
  let known: vec4<f32> = shared_by(row);
  let seed: f32 = ${scaleOf(isCounted, 'gradFactor')};
  for (var c: i32 = 0; c < uniforms.classes; c += 1) {
    let i: i32 = element_of(row, c);
    set_grad(i, gradient_at(i, c, row, known, seed));
  }
  return known.x;
}
${summed('value_at(i)', scaleOf(isCounted))}`,
      isSum: true,
    }),
    gradient: (isCounted) => ({
      inputs: [...withCount(ofElements, isCounted), ...seeds.inputs],
      vectors: ['rows'],
      ...(texts.isOwn && { own: ownInputs(options) }),
      uniforms: { ...sizes, factor: 'f32', least: 'f32', each: 'i32' },
      text: `${terms}${ofKept}${texts.gradient}
fn output_at(i: i32) -> f32 {
  let row: i32 = row_of(i);
  return gradient_at(i, class_of(i), row, read_rows(row), ${seeds.seed} * ${scaleOf(isCounted)});
}
`,
    }),
    curves:
      texts.curve === null
        ? null
        : (isCounted) => ({
            inputs: withCount([...ofRows, 'rows'], isCounted),
            vectors: ['rows'],
            uniforms: { ...sizes, factor: 'f32', least: 'f32' },
            text: `${terms}${kept}${texts.curve}
fn output_at(row: i32) -> vec4<f32> {
  let known: vec4<f32> = read_rows(row);
  if (known.w <= ${least}) {
    return vec4<f32>(0.0, 0.0, 0.0, 0.0);
  }
  // With the scale, as the next kernel has no binding left for the count
  let curve: vec4<f32> = curve_of(row, known);
  return vec4<f32>(curve.x, curve.y, ${scaleOf(isCounted)}, 0.0);
}
`,
            isVector: true,
          }),
    hess: (isCounted) => ({
      inputs: texts.curve === null ? withCount(ofElements, isCounted) : [...ofElements, 'curves'],
      vectors: ['rows', 'curves'],
      uniforms: { ...sizes, factor: 'f32', least: 'f32', leastHess: 'f32' },
      text: `${terms}${ofKept}${texts.hess}
fn output_at(i: i32) -> f32 {
  let row: i32 = row_of(i);
  let known: vec4<f32> = read_rows(row);
  if (known.w <= ${least}${isThinned ? ' || !is_kept(i)' : ''}) {
    return 0.0;
  }
  let exact: f32 = hess_at(i, class_of(i), row, known, ${texts.curve === null ? scaleOf(isCounted) : 'read_curves(row).z'});
  let hess: f32 = select(exact, not_a_number(), is_nan(known.w));
  return ${boundedHess('hess')};
}
`,
    }),
  }
}
