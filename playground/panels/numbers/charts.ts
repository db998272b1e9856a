/** The plots of `explain`: cumulative loss, and shares of the total by p_t. */
import type { ExplainedLoss } from 'focal-loss'
import type { ExplainedFiles } from '../../../src/cli/explain/explained.js'
import { nameOf, shortest } from '../../../src/cli/explain/tables.js'
import { barChart, type BarSeries } from '../../chart/bar_chart.js'
import { key, legend } from '../../chart/legend.js'
import { heightAt, lineChart, type Series } from '../../chart/line_chart.js'
import { linear } from '../../chart/scale.js'
import { lookOfGamma } from '../../chart/series.js'
import { h } from '../../ui/dom.js'
import { percent } from '../../ui/format.js'

export type Share = 'lossShare' | 'gradientShare'

export interface ExplainCharts {
  /** With the key of the lines. */
  readonly curves: HTMLElement
  readonly bins: HTMLElement
  readonly readings: HTMLElement
  show(explained: ExplainedFiles, share: Share, at: number): void
}

const sides = ['positives', 'negatives'] as const
type Side = (typeof sides)[number]
const tenths = linear('share of the examples, smallest loss first', 0, 1, 0.2)

export function explainCharts(read: (x: number) => void): ExplainCharts {
  const curves = {
    positives: lineChart('numbers-curve-positives', 'Positives: cumulative loss', read),
    negatives: lineChart('numbers-curve-negatives', 'Negatives: cumulative loss', read),
  }
  const bins = {
    positives: barChart('numbers-bins-positives', 'Positives: share of the total, by pₜ'),
    negatives: barChart('numbers-bins-negatives', 'Negatives: share of the total, by pₜ'),
  }
  const lines = key()
  const readings = legend('numbers-readings')
  const pair = (charts: Readonly<Record<Side, { readonly element: HTMLElement }>>) => h('div', { class: 'pair' }, ...sides.map((side) => charts[side].element))
  return {
    curves: h('div', {}, lines.element, pair(curves)),
    bins: pair(bins),
    readings: readings.element,
    show({ losses }, share, at) {
      lines.show(losses.map((one) => ({ name: nameOf(one), look: lookOfGamma(one.gamma ?? 0) })))
      for (const side of sides) {
        const drawn = losses.map((one) => cumulative(one, side))
        curves[side].show({ x: tenths, y: linear('share of their loss', 0, 1, 0.2), series: drawn, at, summary: `The first ${percent(at)} have: ${drawn.map((series) => `${series.name} ${textAt(series, at)}`).join('; ')}.` })
        bins[side].show({
          categories: losses[0].bins.map(({ from }) => shortest(from)),
          title: 'lower edge of the pₜ bin: hard left, easy right',
          y: linear(share === 'lossShare' ? 'share of all loss' : 'share of all |gradient|', 0, 1, 0.2),
          series: losses.map((one) => byTruth(one, side, share)),
          summary: summaryOf(losses, side, share),
        })
      }
      readings.show(
        `In these files: share of the loss of the easiest ${percent(at)}`,
        [...sides],
        losses.map((one) => ({ name: nameOf(one), look: lookOfGamma(one.gamma ?? 0), values: sides.map((side) => textAt(cumulative(one, side), at)) })),
      )
    },
  }
}

function cumulative(one: ExplainedLoss, side: Side): Series {
  return { name: nameOf(one), look: lookOfGamma(one.gamma ?? 0), points: one.curves[side].map(({ examples, loss }) => [examples, loss] as const) }
}

function byTruth(one: ExplainedLoss, side: Side, share: Share): BarSeries {
  return { name: nameOf(one), look: lookOfGamma(one.gamma ?? 0), values: one.bins.map((bin) => bin[side][share]) }
}

function textAt({ points }: Series, at: number): string {
  return points.length === 0 ? 'none' : percent(heightAt(points, at))
}

function summaryOf(losses: readonly ExplainedLoss[], side: Side, share: Share): string {
  const last = losses[0].bins.length - 1
  return `Those with p_t from ${shortest(losses[0].bins[last].from)} to 1 have: ${losses.map((one) => `${nameOf(one)} ${percent(one.bins[last][side][share])}`).join('; ')}.`
}
