/** The plots of `explain`: how the loss builds up, and what share of the whole the examples of each p_t have. */
import type { ExplainedLoss } from 'focal-loss'
import type { ExplainedFiles } from '../../../src/cli/explain/explained.js'
import { nameOf, shortest } from '../../../src/cli/explain/tables.js'
import { legend } from '../../chart/legend.js'
import { heightAt, lineChart, type Series } from '../../chart/line_chart.js'
import { type Axis, linear } from '../../chart/scale.js'
import { lookOfGamma } from '../../chart/series.js'
import { h } from '../../ui/dom.js'
import { percent } from '../../ui/format.js'

export type Share = 'lossShare' | 'gradientShare'

export interface ExplainCharts {
  readonly element: HTMLElement
  readonly readings: HTMLElement
  show(explained: ExplainedFiles, share: Share, at: number): void
}

const sides = ['positives', 'negatives'] as const
type Side = (typeof sides)[number]
const tenths = linear('share of the examples, smallest loss first', 0, 1, 0.2)

export function explainCharts(read: (x: number) => void): ExplainCharts {
  const pair = (name: string, title: string, reads?: (x: number) => void) => ({
    positives: lineChart(`numbers-${name}-positives`, `Positives: ${title}`, reads),
    negatives: lineChart(`numbers-${name}-negatives`, `Negatives: ${title}`, reads),
  })
  const curves = pair('curve', 'how their loss builds up', read)
  const bins = pair('bins', 'their part of the whole, by pₜ')
  const readings = legend('numbers-readings')
  return {
    element: h('div', { class: 'pair' }, ...sides.map((side) => curves[side].element), ...sides.map((side) => bins[side].element)),
    readings: readings.element,
    show({ losses }, share, at) {
      for (const side of sides) {
        const drawn = losses.map((one) => cumulative(one, side))
        curves[side].show({ x: tenths, y: linear('share of their loss', 0, 1, 0.2), series: drawn, at, summary: `The first ${percent(at)} have: ${drawn.map((series) => `${series.name} ${textAt(series, at)}`).join('; ')}.` })
        const shares = losses.map((one) => byTruth(one, side, share))
        bins[side].show({ x: truthAxis(losses[0]), y: linear(share === 'lossShare' ? 'share of all loss' : 'share of all |gradient|', 0, 1, 0.2), series: shares, summary: summaryOf(losses, side, share) })
      }
      readings.show(
        `In these files: what share of their side’s loss the first ${percent(at)} of the examples have`,
        [...sides],
        losses.map((one) => ({ name: nameOf(one), look: lookOfGamma(one.gamma ?? 0), values: sides.map((side) => textAt(cumulative(one, side), at)) })),
      )
    },
  }
}

function cumulative(one: ExplainedLoss, side: Side): Series {
  return { name: nameOf(one), look: lookOfGamma(one.gamma ?? 0), points: one.curves[side].map(({ examples, loss }) => [examples, loss] as const) }
}

function byTruth(one: ExplainedLoss, side: Side, share: Share): Series {
  const points = one.bins.map((bin, i) => [(i + 0.5) / one.bins.length, bin[side][share]] as const)
  return { name: nameOf(one), look: lookOfGamma(one.gamma ?? 0), points, marks: points }
}

/** Every second edge has a label: all of them do not fit on a phone. */
function truthAxis({ bins }: ExplainedLoss): Axis {
  const edges = [...bins.map(({ from }) => from), 1]
  const ticks = edges.map((_, i) => i / bins.length)
  return { ...linear('pₜ, hard on the left and easy on the right', 0, 1, 1), ticks, format: (tick) => (Math.round(tick * bins.length) % 2 === 0 ? shortest(edges[Math.round(tick * bins.length)]) : '') }
}

function textAt({ points }: Series, at: number): string {
  return points.length === 0 ? 'none' : percent(heightAt(points, at))
}

function summaryOf(losses: readonly ExplainedLoss[], side: Side, share: Share): string {
  const last = losses[0].bins.length - 1
  return `Those with p_t from ${shortest(losses[0].bins[last].from)} to 1 have: ${losses.map((one) => `${nameOf(one)} ${percent(one.bins[last][side][share])}`).join('; ')}.`
}
