/** The results in a table, and in words: who is ahead, and whether that says anything. */
import { h } from '../../ui/dom.js'
import { percent } from '../../ui/format.js'
import type { TableContent } from '../../ui/table.js'
import { swatch } from '../../chart/series.js'
import { LAST_STEP, type Snapshot } from './protocol.js'
import { columns } from './variants.js'

export function resultsTable({ measures, prevalence }: Snapshot): TableContent {
  const all = columns.map(({ id }) => measures[id])
  const row = (name: string, value: (measures: (typeof all)[number]) => number) => [name, ...all.map((one) => value(one).toFixed(3))]
  return {
    caption: `On 8,000 test points, of which ${percent(prevalence)} are positive; “probability” is the calibrated one`,
    head: ['measure', ...columns.map(({ short, look }) => h('span', { class: 'column' }, swatch(look), short))],
    rows: [
      row('Average precision', ({ averagePrecision }) => averagePrecision),
      row('Threshold', ({ threshold }) => threshold),
      row('Precision', ({ precision }) => precision),
      row('Recall', ({ recall }) => recall),
      row('F1', ({ f1 }) => f1),
      row('F1, all thresholds tuned', ({ tunedF1 }) => tunedF1),
      row('Mean score', ({ meanScore }) => meanScore),
      row('Mean probability', ({ meanProbability }) => meanProbability),
      row('Log loss of scores', ({ scoreLogLoss }) => scoreLogLoss),
      row('Log loss of probabilities', ({ probabilityLogLoss }) => probabilityLogLoss),
    ],
  }
}

/** A difference in average precision below this says nothing on a few hundred positives. */
const CLOSE = 0.02

export function verdict({ step, measures: { crossEntropy, tuned, weighted, focal }, positives }: Snapshot): string {
  if (step === 0) return 'Nothing is trained yet: start, and watch the lines and the average precision.'
  const ahead = focal.averagePrecision - crossEntropy.averagePrecision
  const scores = `average precision ${focal.averagePrecision.toFixed(3)} against ${crossEntropy.averagePrecision.toFixed(3)} of cross entropy and ${weighted.averagePrecision.toFixed(3)} of weighted cross entropy`
  const judgement =
    Math.abs(ahead) < CLOSE
      ? `Focal loss does not win here: ${scores}, which is too close to call on ${positives} positives.`
      : ahead < 0
        ? `Focal loss does not win here: ${scores}.`
        : `Focal loss is ahead here: ${scores}. That is one seed on ${positives} positives; try others.`
  return (
    `After ${step} of ${LAST_STEP} steps. ${judgement} ` +
    `At a score of 0.5 cross entropy has an F1 of ${crossEntropy.f1.toFixed(2)} and focal loss ${focal.f1.toFixed(2)}; with a threshold chosen on validation data they have ${tuned.f1.toFixed(2)} and ${focal.tunedF1.toFixed(2)}, so F1 at 0.5 compares nothing.`
  )
}
