/** What is valid, or positive, counted on a GPU: the denominators of means. */
import { elementary } from '../../formulas/shaders/elementary.js'
import type { ShaderText } from '../../formulas/shaders/language.js'
import type { LossConstants } from '../../problem/constants.js'
import type { Reduction } from '../../problem/options.js'
import { goalOf, goalShader, ignoresLabels } from './goals.js'
import { extraInputs, type Kernel, type KernelOptions, layout, maskText, targetInputs } from './kernel.js'
import { summed } from './sums.js'

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

/** Whether one target tells of all elements of its row. */
function isOfRow({ kind, mask }: Pick<KernelOptions, 'kind' | 'mask'>): boolean {
  return kind === 'class-index' && mask !== 'element'
}

/** Whether rows are looked at, and not elements. */
export function areRowsCounted(options: Pick<KernelOptions, 'kind' | 'mask'>, unit: CountedUnit): boolean {
  return unit === 'rows' || isOfRow(options)
}

/** `parts` numbers, times `factor`: partial sums of how many units are counted among `each` elements, or rows. Input: targets. */
export function countsKernel(loss: LossConstants, options: KernelOptions, unit: CountedUnit): Kernel {
  const isTold = isOfRow(options)
  const known = unit === 'positives' ? 'g.is_valid && g.is_positive' : 'g.is_valid'
  return {
    inputs: [...targetInputs(options), ...extraInputs(options, 'mask')],
    uniforms: { classes: 'i32', inner: 'i32', factor: 'f32', each: 'i32', parts: 'i32' },
    text: `${elementary}${layout(options)}${maskText(options)}${goalShader(loss, options)}
fn is_element_counted(i: i32) -> bool {
  let c: i32 = class_of(i);
  let g: Goal = ${goalOf(options)};
  return is_kept(i) && ${known};
}
${isTold ? ofTarget(known) : unit === 'rows' ? anyOfRow : ofElement}${summed(`select(0.0, ${isTold && unit === 'elements' ? 'f32(uniforms.classes)' : '1.0'}, is_counted(i))`, 'uniforms.factor')}`,
    isSum: true,
  }
}

/** By the element of the row's own class, the only one that may be positive. */
const ofTarget = (known: string): ShaderText => `
fn is_counted(row: i32) -> bool {
  let given: f32 = read_targets(row);
  let g: Goal = goal_of(given, i32(clamp(given, 0.0, f32(uniforms.classes - 1))));
  return is_kept(element_of(row, 0)) && ${known};
}
`

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
