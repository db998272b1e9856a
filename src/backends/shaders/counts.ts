/** What is valid, or positive, counted on a GPU: the denominators of means. */
import { elementary } from '../../formulas/shaders/elementary.js'
import type { ShaderText } from '../../formulas/shaders/language.js'
import type { LossConstants } from '../../problem/constants.js'
import type { Reduction } from '../../problem/options.js'
import { goalShader, ignoresLabels } from './goals.js'
import { extraInputs, type Kernel, type KernelOptions, layout, maskText } from './kernel.js'
import { partsOf } from './sums.js'

/** Valid elements, valid rows, positives: elements, or rows that are of a class. */
export type CountedUnit = 'elements' | 'rows' | 'positives'

/** What a sum of losses is divided by: `constant`, or what is counted among as many. */
export interface Denominator {
  readonly unit: CountedUnit | null
  readonly constant: number
}

export function denominatorOf(loss: LossConstants, reduction: Reduction, { kind, mask }: Pick<KernelOptions, 'kind' | 'mask'>, rows: number, classes: number): Denominator {
  const ofRows = reduction === 'mean-rows' || loss.formula.perRow
  if (reduction === 'sum') return { unit: null, constant: 1 }
  if (reduction === 'mean-positives') return { unit: 'positives', constant: rows * classes }
  const isLeavingOut = mask !== null || (kind === 'labels' ? ignoresLabels(loss) : loss.ignoreIndex !== null)
  return { unit: isLeavingOut ? (ofRows ? 'rows' : 'elements') : null, constant: ofRows ? rows : rows * classes }
}

/** `parts` numbers, times `factor`: partial sums of how many of `each` units are counted; those of positives are elements. Input: targets. */
export function countsKernel(loss: LossConstants, options: KernelOptions, unit: CountedUnit): Kernel {
  const { kind, isHalf } = options
  return {
    inputs: ['targets', ...extraInputs(options, 'mask')],
    uniforms: { classes: 'i32', inner: 'i32', factor: 'f32', each: 'i32', parts: 'i32' },
    text: `${elementary}${layout}${maskText(options)}${goalShader(loss, kind, isHalf)}
fn is_element_counted(i: i32) -> bool {
  let g: Goal = goal_of(read_targets(${kind === 'labels' ? 'i' : 'row_of(i)'}), class_of(i));
  return is_kept(i) && g.is_valid${unit === 'positives' ? ' && g.is_positive' : ''};
}
${unit === 'rows' ? anyOfRow : ofElement}${partsOf('select(0.0, 1.0, is_counted(i))', 'uniforms.factor')}`,
  }
}

const ofElement: ShaderText = `
fn is_counted(i: i32) -> bool {
  return is_element_counted(i);
}
`

const anyOfRow: ShaderText = `
fn is_counted(row: i32) -> bool {
  var is_any: bool = false;
  for (var c: i32 = 0; c < uniforms.classes; c += 1) {
    is_any = is_any || is_element_counted(element_of(row, c));
  }
  return is_any;
}
`
