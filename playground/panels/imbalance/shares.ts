/** The loss and the gradient of a population, computed by the kernel: sums per group, and the cumulative curves of figure 4. */
import { SigmoidFocalLoss, type SigmoidFocalOptions } from 'focal-loss'
import { kernelName } from '../../app/kernel.js'
import type { Point } from '../../chart/line_chart.js'
import type { Group } from './population.js'

export interface Sums {
  readonly loss: number
  /** Of the absolute derivatives by the logits. */
  readonly gradient: number
}

type LossOptions = Pick<SigmoidFocalOptions, 'gamma' | 'alpha' | 'classWeights'>

/** For each group, in their order. */
export function sumsOf(options: LossOptions, groups: readonly Group[]): Sums[] {
  const loss = new SigmoidFocalLoss({ ...options, reduction: 'sum', backend: kernelName() })
  return groups.map(({ logits, positive, count }) => {
    if (logits.length === 0) return { loss: 0, gradient: 0 }
    const weights = new Float64Array(logits.length).fill(count / logits.length)
    const { value, grad } = loss.valueAndGrad(logits, targetsOf(logits, positive), { weights })
    return { loss: value, gradient: grad.reduce((sum, each) => sum + Math.abs(each), 0) }
  })
}

/** Examples of the groups from the least loss to the greatest, and what share of their loss the first of them have. */
export function cumulative(options: LossOptions, groups: readonly Group[]): Point[] {
  const loss = new SigmoidFocalLoss({ ...options, reduction: 'none', backend: kernelName() })
  const examples = groups.flatMap(({ logits, positive, count }) =>
    Array.from(logits.length === 0 ? [] : loss.value(logits, targetsOf(logits, positive)), (cost) => ({ cost, count: count / logits.length })),
  )
  examples.sort((a, b) => a.cost - b.cost)
  const all = examples.reduce((sums, { cost, count }) => ({ count: sums.count + count, cost: sums.cost + count * cost }), { count: 0, cost: 0 })
  let [counted, spent] = [0, 0]
  return [
    ...(examples.length === 0 ? [] : [[0, 0] as const]),
    ...examples.map(({ cost, count }): Point => {
      counted += count
      spent += count * cost
      return [counted / all.count, all.cost > 0 ? spent / all.cost : 0]
    }),
  ]
}

function targetsOf(logits: Float64Array, positive: boolean): Uint8Array {
  return new Uint8Array(logits.length).fill(positive ? 1 : 0)
}
