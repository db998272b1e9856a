/** Targets as shader functions: what src/backends/js reads of labels and class indices, on the GPU. */
import { literal, type ShaderText } from '../../formulas/shaders/language.js'
import type { LossConstants } from '../../problem/constants.js'
import type { KernelOptions } from './kernel.js'

/** What an element is compared with. */
const goal: ShaderText = `
/**
 * The label, smoothed but for a softmax, and 1 minus it; whether the element is valid, is given a target that can be one, and is a positive;
 * whether its label is above 0, and its row has a class.
 */
struct Goal { y: f32, rest: f32, is_valid: bool, is_known: bool, is_positive: bool, is_labelled: bool, has_class: bool }
`

/** The call of `goal_of` for element i of class c in a row whose class index is `index`: `rests` are 1 minus the labels, with digits that float32 labels have not. */
export function goalOf({ kind, hasRests }: Pick<KernelOptions, 'kind' | 'hasRests'>, index = 'read_targets(row_of(i))'): string {
  if (kind === 'class-index') return `goal_of(${index}, c)`
  return hasRests ? 'goal_of(read_targets(i), read_rests(i))' : 'goal_of(read_targets(i))'
}

/**
 * `fn goal_of(given: f32) -> Goal` for an element whose label is `given`, with a parameter `beside: f32` more where 1 minus it is given, too;
 * `fn goal_of(given: f32, c: i32) -> Goal` for one of class c whose row's class index is `given`.
 *
 * With half floats labels may be further outside of 0 to 1, to be taken as 0 or 1.
 */
export function goalShader(loss: LossConstants, { kind, isHalf, hasRests }: Pick<KernelOptions, 'kind' | 'isHalf' | 'hasRests'>): ShaderText {
  return goal + (kind === 'labels' ? ofLabels(loss, isHalf ? 2 ** -9 : 1e-6, hasRests === true) : ofIndices(loss))
}

/** Whether some labels are ignored: those that cannot be any. A softmax ignores whole rows of NaN alone. */
export function ignoresLabels({ formula, ignoreIndex }: LossConstants): boolean {
  return ignoreIndex !== null && (Number.isNaN(ignoreIndex) || (!formula.perRow && !(ignoreIndex >= 0 && ignoreIndex <= 1)))
}

function ofLabels(loss: LossConstants, tolerance: number, hasRests: boolean): ShaderText {
  const { ignoreIndex, oneFrom, positiveFrom } = loss
  return `
fn goal_of(given: f32${hasRests ? ', beside: f32' : ''}) -> Goal {
  let near: f32 = clamp(given, 0.0, 1.0);
  let is_known: bool = !is_nan(given) && abs(given - near) <= ${literal(tolerance)};
  let known: f32 = select(0.0, near, is_known);
  let label: f32 = select(known, 1.0, known >= ${literal(oneFrom)});
  let rest: f32 = select(clamp(${hasRests ? 'beside' : '1.0 - given'}, 0.0, 1.0), 0.0, label == 1.0 && known != 1.0);
  return Goal(${smoothed(loss)}, ${ignoreIndex !== null && ignoresLabels(loss) ? isNotIgnored(ignoreIndex) : 'true'}, is_known, ${
    // The least number above 0 is below what shaders have
    positiveFrom < 1e-6 ? 'label > 0.0' : `label >= ${literal(positiveFrom)}`
  }, label > 0.0, true);
}
`
}

function ofIndices(loss: LossConstants): ShaderText {
  const { background, ignoreIndex } = loss
  const isBackground = background === 'num-classes' ? 'given == f32(uniforms.classes)' : Number.isNaN(background) ? 'false' : `given == ${literal(background)}`
  return `
fn goal_of(given: f32, c: i32) -> Goal {
  let is_background: bool = ${isBackground};
  let is_class: bool = !is_background && !is_nan(given) && given >= 0.0 && given < f32(uniforms.classes) && given == floor(given);
  let is_hot: bool = is_class && given == f32(c);
  let label: f32 = select(0.0, 1.0, is_hot);
  let rest: f32 = 1.0 - label;
  return Goal(${smoothed(loss)}, ${ignoreIndex === null ? 'true' : isNotIgnored(ignoreIndex)}, is_class || is_background, is_hot, is_hot, !is_background);
}
`
}

function isNotIgnored(ignoreIndex: number): string {
  return Number.isNaN(ignoreIndex) ? '!is_nan(given)' : `given != ${literal(ignoreIndex)}`
}

/** The label and 1 minus it, neither of which loses digits. How a softmax's is smoothed depends on its row. */
function smoothed({ formula, labelSmoothing: e }: LossConstants): string {
  if (e === 0 || formula.perRow) return 'label, rest'
  const [keep, share] = [literal(1 - e), literal(e / 2)]
  return `label * ${keep} + ${share}, rest * ${keep} + ${share}`
}
