/** The decision threshold: precision and recall, and the reliability diagram, at a threshold that the reader moves; raw beside recalibrated. */
import type { Evaluation, Scores } from 'focal-loss'
import { legend } from '../../chart/legend.js'
import { lineChart } from '../../chart/line_chart.js'
import { linear } from '../../chart/scale.js'
import { looks } from '../../chart/series.js'
import { h } from '../../ui/dom.js'
import { cutAt } from './cut.js'

export interface ThresholdCharts {
  readonly element: HTMLElement
  readonly readings: HTMLElement
  show(evaluation: Evaluation, threshold: number): void
}

const kinds = [
  { id: 'raw', name: 'raw scores', look: looks.weighted },
  { id: 'recalibrated', name: 'recalibrated', look: looks.focal },
] as const

const share = (title: string) => linear(title, 0, 1, 0.2)

export function thresholdCharts(move: (threshold: number) => void): ThresholdCharts {
  const ranking = lineChart('numbers-precision-recall', 'Precision and recall at the threshold', undefined, 260)
  const reliability = lineChart('numbers-reliability', 'Reliability: calibrated scores lie on the diagonal', move, 260)
  const readings = legend('numbers-decided', 'probability')
  return {
    element: h('div', { class: 'pair' }, ranking.element, reliability.element),
    readings: readings.element,
    show(evaluation, threshold) {
      const all = kinds.map((kind) => ({ ...kind, scores: evaluation[kind.id], cut: cutAt(evaluation[kind.id], threshold) }))
      const text = threshold.toFixed(2)
      ranking.show({
        x: share('recall'),
        y: share('precision'),
        series: all.map(({ name, look, scores, cut }) => ({
          name,
          look,
          points: scores.precisionRecall.map(({ recall, precision }) => [recall, precision] as const),
          marks: [[cut.recall, cut.precision] as const],
        })),
        summary: `At a threshold of ${text}: ${all.map(({ name, cut }) => `${name}: precision ${cut.precision.toFixed(2)}, recall ${cut.recall.toFixed(2)}`).join('; ')}.`,
      })
      reliability.show({
        x: share('mean probability of a bin'),
        y: share('share of positives in it'),
        series: [
          { name: 'calibrated', look: looks.diagonal, points: [[0, 0], [1, 1]], marks: [] },
          ...all.map(({ name, look, scores }) => ({ name, look, points: binsOf(scores), marks: binsOf(scores) })),
        ],
        at: threshold,
        summary: `Calibration errors: ${all.map(({ name, scores }) => `${name} ${decimals(scores.calibrationError)}`).join('; ')}.`,
      })
      readings.show(
        `Positive from a probability of ${text}`,
        ['precision', 'recall', 'F1', 'best F1', 'at', 'log loss', 'calibration error'],
        all.map(({ name, look, scores, cut }) => {
          const best = scores.thresholds?.bestF1
          return { name, look, values: [cut.precision, cut.recall, cut.f1, best?.f1, best?.probability, scores.logLoss, scores.calibrationError].map(decimals) }
        }),
      )
    },
  }
}

/** The rate of fewer examples than that in a bin is noise. */
const ENOUGH = 5

function binsOf({ reliability }: Scores): (readonly [x: number, y: number])[] {
  return reliability.flatMap(({ count, meanScore, rate }) => (meanScore === null || rate === null || count < ENOUGH ? [] : [[meanScore, rate] as const]))
}

function decimals(value: number | null | undefined): string {
  return value?.toFixed(3) ?? 'none'
}
