/** Charts of the scores: reliability, precision and recall, thresholds. One SVG each, so that they fit a phone. */
import type { Evaluation, Scores } from 'focal-loss'
import { panelChart, TENTHS } from './chart.js'

const xTicks = TENTHS.map((at) => ({ at, label: String(at) }))

export interface ScoreChart {
  readonly svg: string
  /** What it says, and how to read it. */
  readonly caption: string
}

export function scoreCharts({ example, raw, recalibrated, tempered }: Evaluation): ScoreChart[] {
  const columns: (readonly [string, Scores])[] = [['raw', raw], ['recalibrated', recalibrated], ...(tempered === null ? [] : [['tempered', tempered] as const])]
  const whose = example === 'row' ? 'of the top label' : ''
  const reliability = {
    svg: panelChart(
      {
        title: `Reliability ${whose}`.trim(),
        xTitle: 'mean score',
        yTitle: example === 'row' ? 'share of correct labels' : 'share of positives',
        xTicks,
        curves: [...columns.map(([, scores]) => reliabilityCurve(scores)), [[0, 0], [1, 1]]],
        dots: true,
      },
      [...columns.map(([name]) => name), 'calibrated'],
    ),
    caption: `Mean score and observed rate, in bins of equal width, without those of fewer than ${ENOUGH} examples. Below the diagonal scores are too large, above it too small.`,
  }
  if (raw.thresholds === null) return [reliability]
  const points = raw.precisionRecall
  const at = points.flatMap(({ probability, precision, recall }) => (probability === null ? [] : [{ probability, precision, recall }]))
  const f1 = ({ precision, recall }: { precision: number; recall: number }) => (precision + recall > 0 ? (2 * precision * recall) / (precision + recall) : 0)
  return [
    reliability,
    {
      svg: panelChart(
        { title: `Precision and recall ${whose}`.trim(), xTitle: 'recall', yTitle: 'precision', xTicks, curves: [points.map(({ precision, recall }) => [recall, precision])], dots: false },
        ['all thresholds, the highest on the left'],
      ),
      caption: 'Precision against recall. The area under the curve is the average precision.',
    },
    {
      svg: panelChart(
        {
          title: `Thresholds ${whose}`.trim(),
          xTitle: 'threshold, as a raw score',
          yTitle: 'share',
          xTicks,
          curves: [at.map((each) => [each.probability, each.precision]), at.map((each) => [each.probability, each.recall]), at.map((each) => [each.probability, f1(each)])],
          dots: false,
        },
        ['precision', 'recall', 'F1'],
      ),
      caption: 'Precision, recall and F1 of each threshold. Scores at or above it are predicted positive.',
    },
  ]
}

/** The rate of fewer examples than that in a bin is noise. */
const ENOUGH = 5

function reliabilityCurve({ reliability }: Scores): (readonly [x: number, y: number])[] {
  return reliability.flatMap(({ count, meanScore, rate }) => (meanScore === null || rate === null || count < ENOUGH ? [] : [[meanScore, rate] as const]))
}
