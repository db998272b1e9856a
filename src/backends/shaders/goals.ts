/** Targets as shader functions: what src/backends/js reads of labels and class indices, on the GPU. */
import { literal, type ShaderText } from '../../formulas/shaders/language.js'
import type { TargetKind } from '../../problem/call.js'
import type { LossConstants } from '../../problem/constants.js'

/** What an element is compared with. */
const goal: ShaderText = `
/** The label, smoothed, and 1 minus it; whether the element is valid, is given a target that can be one, and is a positive. */
struct Goal { y: f32, rest: f32, is_valid: bool, is_known: bool, is_positive: bool }
`

/**
 * `fn goal_of(given: f32, c: i32) -> Goal`, for an element of class c whose label, or whose row's class index, is `given`.
 *
 * @param isHalf whether numbers are stored as half floats: labels may be further outside of 0 to 1, to be taken as 0 or 1.
 */
export function goalShader(loss: LossConstants, kind: TargetKind, isHalf: boolean): ShaderText {
  return goal + (kind === 'labels' ? ofLabels(loss, isHalf ? 2 ** -9 : 1e-6) : ofIndices(loss))
}

/** Whether some labels are ignored: those that cannot be any. A softmax ignores whole rows of NaN alone. */
export function ignoresLabels({ formula, ignoreIndex }: LossConstants): boolean {
  return ignoreIndex !== null && (Number.isNaN(ignoreIndex) || (!formula.perRow && !(ignoreIndex >= 0 && ignoreIndex <= 1)))
}

function ofLabels(loss: LossConstants, tolerance: number): ShaderText {
  const { ignoreIndex, oneFrom, positiveFrom } = loss
  return `
fn goal_of(given: f32, c: i32) -> Goal {
  let near: f32 = clamp(given, 0.0, 1.0);
  let is_known: bool = !is_nan(given) && abs(given - near) <= ${literal(tolerance)};
  let known: f32 = select(0.0, near, is_known);
  let label: f32 = select(known, 1.0, known >= ${literal(oneFrom)});
  return Goal(${smoothed(loss)}, ${ignoreIndex !== null && ignoresLabels(loss) ? isNotIgnored(ignoreIndex) : 'true'}, is_known, ${
    // The least number above 0 is below what shaders have
    positiveFrom < 1e-6 ? 'label > 0.0' : `label >= ${literal(positiveFrom)}`
  });
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
  return Goal(${smoothed(loss, 'is_class')}, ${ignoreIndex === null ? 'true' : isNotIgnored(ignoreIndex)}, is_class || is_background, is_hot);
}
`
}

function isNotIgnored(ignoreIndex: number): string {
  return Number.isNaN(ignoreIndex) ? '!is_nan(given)' : `given != ${literal(ignoreIndex)}`
}

/** The label and 1 minus it, neither of which loses digits. A softmax's row without a class has none to smooth. */
function smoothed({ formula, labelSmoothing: e }: LossConstants, hasClass = 'true'): string {
  if (e === 0) return 'label, 1.0 - label'
  const keep = literal(1 - e)
  const share = formula.perRow ? `select(0.0, ${literal(e)} / f32(uniforms.classes), ${hasClass})` : literal(e / 2)
  return `label * ${keep} + ${share}, (1.0 - label) * ${keep} + ${share}`
}
