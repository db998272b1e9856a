/** The scores as charts: whether they are probabilities, what they find at what price, and where to cut. An SVG each, so that they fit a phone. */
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
        yTitle: example === 'row' ? 'share that is right' : 'share of positives',
        xTicks,
        curves: [...columns.map(([, scores]) => reliabilityCurve(scores)), [[0, 0], [1, 1]]],
        dots: true,
      },
      [...columns.map(([name]) => name), 'what probabilities would have'],
    ),
    caption: 'Scores in bins of equal width against what happened. Points below the diagonal are scores that promise too much, points above it promise too little.',
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
      caption: 'What share of those that are decided to be positive is, against the share of the positives that is found. The area under it is the average precision.',
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
      caption: 'What comes of each threshold: a score at least as high is decided to be positive.',
    },
  ]
}

function reliabilityCurve({ reliability }: Scores): (readonly [x: number, y: number])[] {
  return reliability.flatMap(({ meanScore, rate }) => (meanScore === null || rate === null ? [] : [[meanScore, rate] as const]))
}
