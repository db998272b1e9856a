/**
 * The element-wise losses as kernels: sums of losses, gradients, and counts of what is valid. An element's number is its place in the
 * logits; samples lie one after another, `each` elements in every one.
 */
import { elementary } from '../../formulas/shaders/elementary.js'
import { elementShader } from '../../formulas/shaders/element.js'
import { literal, type ShaderText } from '../../formulas/shaders/language.js'
import type { TargetKind } from '../../problem/call.js'
import type { LossConstants } from '../../problem/constants.js'
import { goalShader } from './goals.js'
import type { Kernel } from './kernel.js'
import { partsOf } from './sums.js'

export interface ElementwiseKernels {
  /** Weights of positives, then of negatives, of every class: what the input `balance` is to hold. `null`: there is none. */
  readonly balance: Float32Array | null
  /**
   * `parts` numbers a sample: partial sums of its losses, times `factor`. Inputs: logits, targets, where there is one `balance`, and
   * where it is made counted the count, by which it divides, though by no less than `least`.
   */
  sums(isCounted: boolean): Kernel
  /** One number an element: its gradient times its sample's seed times `factor`. Inputs: as for sums, then the seeds. */
  gradient(isCounted: boolean): Kernel
  /** `parts` numbers, times `factor`: partial sums of how many of `each` elements or rows are valid, or positive. Input: targets. */
  counts(unit: CountedUnit): Kernel
}

export type CountedUnit = 'elements' | 'rows' | 'positives'

export function elementwiseKernels(loss: LossConstants, kind: TargetKind, tolerance: number): ElementwiseKernels {
  const { formula, classPositive, classNegative, positiveWeight, negativeWeight } = loss
  const balance = classPositive === null || classNegative === null ? null : Float32Array.from([...classPositive, ...classNegative])
  const [wp, wn] = balance === null ? [literal(positiveWeight), literal(negativeWeight)] : ['read_balance(c)', 'read_balance(uniforms.classes + c)']
  const goals = goalShader(loss, kind, tolerance)
  const goalAt = `goal_of(read_targets(${kind === 'labels' ? 'i' : 'i / uniforms.classes'}), c)`
  const costs: ShaderText = `${elementShader(formula.code, loss)}${goals}
fn cost_at(i: i32) -> Element {
  let c: i32 = i % uniforms.classes;
  let g: Goal = ${goalAt};
  if (!g.is_valid) {
    return Element(0.0, 0.0, 0.0);
  }
  if (!g.is_known) {
    return Element(not_a_number(), not_a_number(), not_a_number());
  }
  return element(read_logits(i), g.y, g.rest, ${wp}, ${wn});
}
`
  const inputs = ['logits', 'targets', ...(balance === null ? [] : ['balance'])]
  const scaleOf = (isCounted: boolean) => (isCounted ? '(uniforms.factor / max(read_count(0), uniforms.least))' : 'uniforms.factor')
  const uniforms = { classes: 'i32', factor: 'f32', least: 'f32', each: 'i32' } as const
  const withCount = (isCounted: boolean) => [...inputs, ...(isCounted ? ['count'] : [])]

  return {
    balance,
    sums: (isCounted) => ({
      inputs: withCount(isCounted),
      uniforms: { ...uniforms, parts: 'i32' },
      text: `${costs}${partsOf('cost_at(i).value', scaleOf(isCounted))}`,
    }),
    gradient: (isCounted) => ({
      inputs: [...withCount(isCounted), 'seeds'],
      uniforms,
      text: `${costs}
fn output_at(i: i32) -> f32 {
  return cost_at(i).grad * (read_seeds(i / uniforms.each) * ${scaleOf(isCounted)});
}
`,
    }),
    counts: (unit) => ({
      inputs: ['targets'],
      uniforms: { classes: 'i32', factor: 'f32', each: 'i32', parts: 'i32' },
      text: `${elementary}${goals}
fn is_element_counted(i: i32) -> bool {
  let c: i32 = i % uniforms.classes;
  let g: Goal = ${goalAt};
  return g.is_valid${unit === 'positives' ? ' && g.is_positive' : ''};
}
${unit === 'rows' ? anyOfRow : ofElement}${partsOf('select(0.0, 1.0, is_counted(i))', 'uniforms.factor')}`,
    }),
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
  for (var i: i32 = row * uniforms.classes; i < (row + 1) * uniforms.classes; i += 1) {
    is_any = is_any || is_element_counted(i);
  }
  return is_any;
}
`
