/** The precision-recall curves, the points at which each column decides, and the precision at the recall that is read. */
import { legend } from '../../chart/legend.js'
import { lineChart } from '../../chart/line_chart.js'
import { linear } from '../../chart/scale.js'
import type { CurvePoint } from './measures.js'
import type { Snapshot } from './protocol.js'
import { columns } from './variants.js'

export interface PrecisionRecall {
  readonly element: HTMLElement
  readonly readings: HTMLElement
  show(snapshot: Snapshot, recall: number): void
}

const x = linear('recall', 0, 1, 0.2)
const y = linear('precision', 0, 1, 0.2)

export function precisionRecall(read: (recall: number) => void): PrecisionRecall {
  const chart = lineChart('training-curve', 'Precision and recall on the test points', read, 320)
  const readings = legend('training-readings')
  // A tuned threshold changes no scores, and so no curve
  const curved = columns.filter(({ tuned }) => !tuned)
  return {
    element: chart.element,
    readings: readings.element,
    show({ curves, measures }, recall) {
      const precisions = curved.map(({ of }) => precisionAt(curves[of], recall))
      chart.show({
        x,
        y,
        series: columns.map(({ id, name, look, of, tuned }) => ({
          name,
          look,
          points: tuned ? [] : curves[of].map((point) => [point.recall, point.precision] as const),
          marks: measures[id].recall > 0 ? [[measures[id].recall, measures[id].precision] as const] : [],
        })),
        at: recall,
        summary: `At a recall of ${recall.toFixed(2)} the precision is: ${curved.map(({ name }, i) => `${name} ${precisions[i].toFixed(3)}`).join('; ')}.`,
      })
      readings.show(`Read at a recall of ${recall.toFixed(2)}`, ['precision'], curved.map(({ name, look }, i) => ({ name, look, values: [precisions[i].toFixed(3)] })))
    },
  }
}

/** At the first point of the curve that reaches the recall. */
function precisionAt(curve: readonly CurvePoint[], recall: number): number {
  return (curve.find((point) => point.recall >= recall) ?? curve[curve.length - 1]).precision
}
