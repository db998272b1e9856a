/** What is valid, or positive, counted on a GPU: the denominators of means. */
import { elementary } from '../../formulas/shaders/elementary.js'
import type { ShaderText } from '../../formulas/shaders/language.js'
import type { TargetKind } from '../../problem/call.js'
import type { LossConstants } from '../../problem/constants.js'
import { goalShader } from './goals.js'
import { type Kernel, layout } from './kernel.js'
import { partsOf } from './sums.js'

/** Valid elements, valid rows, positives: elements, or rows that are of a class. */
export type CountedUnit = 'elements' | 'rows' | 'positives'

/** `parts` numbers, times `factor`: partial sums of how many of `each` units are counted; those of positives are elements. Input: targets. */
export function countsKernel(loss: LossConstants, kind: TargetKind, isHalf: boolean, unit: CountedUnit): Kernel {
  return {
    inputs: ['targets'],
    uniforms: { classes: 'i32', inner: 'i32', factor: 'f32', each: 'i32', parts: 'i32' },
    text: `${elementary}${layout}${goalShader(loss, kind, isHalf)}
fn is_element_counted(i: i32) -> bool {
  let g: Goal = goal_of(read_targets(${kind === 'labels' ? 'i' : 'row_of(i)'}), class_of(i));
  return g.is_valid${unit === 'positives' ? ' && g.is_positive' : ''};
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
