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

export interface ElementwiseKernels {
  /** Weights of positives, then of negatives, of every class: what the input `balance` is to hold. `null`: there is none. */
  readonly balance: Float32Array | null
  /**
   * `parts` numbers a sample: partial sums of its losses, times `factor`. Inputs: logits, targets, where there is one `balance`, and
   * where the kernel is made `counted` the count, by which it divides.
   */
  sums(isCounted: boolean): Kernel
  /** One number an element: its gradient times its sample's seed times `factor`. Inputs: as for sums, then the seeds. */
  gradient(isCounted: boolean): Kernel
  /** `parts` numbers, times `shrink`: partial sums of how many of `units` elements or rows are valid, or positive. Input: targets. */
  counts(unit: CountedUnit): Kernel
}

export type CountedUnit = 'elements' | 'rows' | 'positives'

export function elementwiseKernels(loss: LossConstants, kind: TargetKind, tolerance: number): ElementwiseKernels {
  const { formula, classPositive, classNegative, positiveWeight, negativeWeight } = loss
  const balance = classPositive === null || classNegative === null ? null : Float32Array.of(...classPositive, ...classNegative)
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
  const scaleOf = (isCounted: boolean) => (isCounted ? '(uniforms.factor / read_count(0))' : 'uniforms.factor')
  const withCount = (isCounted: boolean) => [...inputs, ...(isCounted ? ['count'] : [])]

  return {
    balance,
    sums: (isCounted) => ({
      inputs: withCount(isCounted),
      uniforms: { classes: 'i32', each: 'i32', parts: 'i32', factor: 'f32' },
      text: `${costs}
fn output_at(k: i32) -> f32 {
  let group: i32 = k / uniforms.parts;
  let end: i32 = (group + 1) * uniforms.each;
  var total: f32 = 0.0;
  for (var i: i32 = group * uniforms.each + k % uniforms.parts; i < end; i += uniforms.parts) {
    total += cost_at(i).value;
  }
  return total * ${scaleOf(isCounted)};
}
`,
    }),
    gradient: (isCounted) => ({
      inputs: [...withCount(isCounted), 'seeds'],
      uniforms: { classes: 'i32', each: 'i32', factor: 'f32' },
      text: `${costs}
fn output_at(i: i32) -> f32 {
  return cost_at(i).grad * (read_seeds(i / uniforms.each) * ${scaleOf(isCounted)});
}
`,
    }),
    counts: (unit) => ({
      inputs: ['targets'],
      uniforms: { classes: 'i32', units: 'i32', parts: 'i32', shrink: 'f32' },
      text: `${elementary}${goals}
fn is_counted(i: i32) -> bool {
  let c: i32 = i % uniforms.classes;
  let g: Goal = ${goalAt};
  return g.is_valid${unit === 'positives' ? ' && g.is_positive' : ''};
}
${unit === 'rows' ? anyOfRow : ofElement}
fn output_at(k: i32) -> f32 {
  var total: f32 = 0.0;
  for (var unit: i32 = k; unit < uniforms.units; unit += uniforms.parts) {
    total += select(0.0, uniforms.shrink, is_unit_counted(unit));
  }
  return total;
}
`,
    }),
  }
}

const ofElement: ShaderText = `
fn is_unit_counted(i: i32) -> bool {
  return is_counted(i);
}
`

const anyOfRow: ShaderText = `
fn is_unit_counted(row: i32) -> bool {
  var is_any: bool = false;
  for (var i: i32 = row * uniforms.classes; i < (row + 1) * uniforms.classes; i += 1) {
    is_any = is_any || is_counted(i);
  }
  return is_any;
}
`

/** One number: the sum of `parts` partial counts, at least `shrink`, which stands for 1. Input: counts. */
export const totalKernel: Kernel = {
  inputs: ['counts'],
  uniforms: { parts: 'i32', shrink: 'f32' },
  text: `
fn output_at(k: i32) -> f32 {
  var total: f32 = 0.0;
  for (var i: i32 = 0; i < uniforms.parts; i += 1) {
    total += read_counts(i);
  }
  return max(total, uniforms.shrink);
}
`,
}
