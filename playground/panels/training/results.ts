/** The results as bars, as a table and in words: which loss is ahead, and whether the difference is meaningful. */
import type { BarContent, BarSeries } from '../../chart/bar_chart.js'
import { linear } from '../../chart/scale.js'
import { swatch } from '../../chart/series.js'
import { h } from '../../ui/dom.js'
import { percent } from '../../ui/format.js'
import type { TableContent } from '../../ui/table.js'
import { type Cut, cuts, type Measured, type Reading, readings } from './measures.js'
import { LAST_STEP, type Snapshot } from './protocol.js'
import { variants } from './variants.js'

const cutNames: Readonly<Record<Cut, string>> = { score: 'score of 0.5', recalibrated: 'recalibrated 0.5', best: 'best on validation' }
const readingNames: Readonly<Record<Reading, string>> = { score: 'scores', recalibrated: 'recalibrated', tempered: 'temperature' }

export function f1Bars({ measured }: Snapshot): BarContent {
  const series = variants.map(({ id, name, look }) => ({ name, look, values: cuts.map((cut) => measured[id].decided[cut].f1) }))
  return { categories: ['score 0.5', 'recalibrated', 'validation'], title: 'decision threshold', y: linear('F1', 0, 1, 0.2), series, summary: summaryOf(series) }
}

export function logLossBars({ measured }: Snapshot): BarContent {
  const series = variants.map(({ id, name, look }) => ({ name, look, values: readings.map((reading) => measured[id].judged[reading]?.logLoss ?? 0) }))
  const largest = Math.max(...series.flatMap(({ values }) => values))
  const step = [0.05, 0.1, 0.2, 0.5, 1].find((size) => largest <= 5 * size) ?? 2
  return { categories: readings.map((reading) => readingNames[reading]), title: 'probabilities from', y: linear('log loss', 0, 5 * step, step), series, summary: summaryOf(series) }
}

function summaryOf(series: readonly BarSeries[]): string {
  return `${series.map(({ name, values }) => `${name}: ${values.map((value) => value.toFixed(2)).join(', ')}`).join('; ')}.`
}

export function resultsTable({ measured, prevalence }: Snapshot): TableContent {
  const row = (name: string, value: (one: Measured) => string) => [name, ...variants.map(({ id }) => value(measured[id]))]
  return {
    caption: `On 8,000 test points, of which ${percent(prevalence)} are positive`,
    head: ['measure', ...variants.map(({ short, look }) => h('span', { class: 'column' }, swatch(look), short))],
    rows: [
      row('Average precision', ({ averagePrecision }) => averagePrecision.toFixed(3)),
      ...cuts.map((cut) => row(`F1, ${cutNames[cut]}`, ({ decided }) => decided[cut].f1.toFixed(3))),
      ...readings.map((reading) => row(`Log loss, ${readingNames[reading]}`, ({ judged }) => decimalsOf(judged[reading]?.logLoss))),
      ...readings.map((reading) => row(`Calibration error, ${readingNames[reading]}`, ({ judged }) => decimalsOf(judged[reading]?.calibrationError))),
      row('Mean score', ({ judged }) => judged.score.mean.toFixed(3)),
      row('Mean recalibrated', ({ judged }) => judged.recalibrated.mean.toFixed(3)),
      row('Fitted temperature', ({ temperature }) => temperature?.toFixed(2) ?? 'none'),
    ],
  }
}

function decimalsOf(value: number | undefined): string {
  return value?.toFixed(3) ?? 'none'
}

/** Differences below these say nothing on a few hundred positives: of average precision, and the share of a log loss. */
const CLOSE = { averagePrecision: 0.02, logLoss: 0.03 }

export function verdict({ step, measured: { crossEntropy, smoothed, focal }, positives }: Snapshot): string {
  if (step === 0) return 'Nothing is trained yet. Press Start.'
  const ranking = compared(focal.averagePrecision - crossEntropy.averagePrecision, CLOSE.averagePrecision)
  const [plain, focused] = [crossEntropy.judged.score.logLoss, focal.judged.score.logLoss]
  const costing = compared(plain - focused, CLOSE.logLoss * plain)
  const f1 = cuts.map((cut) => `${focal.decided[cut].f1.toFixed(2)} against ${crossEntropy.decided[cut].f1.toFixed(2)} (${cutNames[cut]})`).join(', ')
  return (
    `After ${step} of ${LAST_STEP} steps. Average precision: ${ranking}, ${focal.averagePrecision.toFixed(3)} against ${crossEntropy.averagePrecision.toFixed(3)} of cross entropy on ${positives} positives. ` +
    `Log loss of the scores: ${costing}, ${focused.toFixed(3)} against ${plain.toFixed(3)}; label smoothing has ${smoothed.judged.score.logLoss.toFixed(3)}, cross entropy with a temperature ${decimalsOf(crossEntropy.judged.tempered?.logLoss)}. ` +
    `F1 of focal loss and cross entropy: ${f1}. One seed says little: try others.`
  )
}

function compared(ahead: number, close: number): string {
  if (Math.abs(ahead) < close) return 'too close to call'
  return ahead > 0 ? 'focal loss is ahead' : 'cross entropy is ahead'
}
