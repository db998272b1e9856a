/** The worked examples as a table: what each of four predictions costs, and what a loss takes off cross entropy. */
import { presets } from 'focal-loss'
import { h } from '../../ui/dom.js'
import { decimals, percent, signed } from '../../ui/format.js'
import type { TableContent } from '../../ui/table.js'
import { type CurveOptions, evaluate, focalName, rest, type Side, unreduced } from './losses.js'

interface Example {
  readonly title: string
  readonly side: Side
  readonly truth: number
}

/** A negative at p = 0.05 has p_t = 0.95. */
function examplesOf(side: Side): readonly Example[] {
  return [
    { title: 'positive at p\u00a0=\u00a00.95', side: 'positive', truth: 0.95 },
    { title: 'negative at p\u00a0=\u00a00.05', side: 'negative', truth: 0.95 },
    { title: `hard ${side}, pₜ\u00a0=\u00a00.1`, side, truth: 0.1 },
    { title: `easy ${side}, pₜ\u00a0=\u00a00.9`, side, truth: 0.9 },
  ]
}

export function examplesTable({ gamma, balanced, alpha, weight }: CurveOptions, side: Side): TableContent {
  const weighing = balanced ? alpha : null
  const losses = [
    { name: 'cross entropy', loss: unreduced({ ...presets.crossEntropy }) },
    { name: `weighted, ${weight} / ${rest(weight)}`, loss: unreduced(presets.weightedCrossEntropy(weight)) },
    { name: focalName(1, null), loss: unreduced({ gamma: 1, alpha: null }) },
    { name: `yours: ${focalName(gamma, weighing)}`, loss: unreduced({ gamma, alpha: weighing }) },
  ]
  const examples = examplesOf(side)
  const costs = losses.map(({ loss }) => examples.map((example) => evaluate(loss, [example.truth], example.side).losses[0]))
  return {
    caption: 'Loss of four predictions, and the difference from cross entropy',
    head: ['loss', ...examples.map(({ title }) => title)],
    rows: losses.map(({ name }, i) => [name, ...costs[i].map((cost, column) => cell(cost, costs[0][column], i === 0))]),
  }
}

function cell(cost: number, plain: number, isPlain: boolean): HTMLElement {
  const change = cost - plain
  const sign = change > 0 ? '+' : ''
  const against = isPlain ? '' : `${sign}${signed(change.toFixed(4))} (${sign}${percent(change / plain)})`
  return h('span', {}, h('span', { class: 'cost' }, decimals(cost)), h('small', {}, against))
}
