/** The precision-recall curves, the point of each at the chosen cut, and the precision at the recall that is read. */
import { legend } from '../../chart/legend.js'
import { lineChart } from '../../chart/line_chart.js'
import { linear } from '../../chart/scale.js'
import type { CurvePoint, Cut } from './measures.js'
import type { Snapshot } from './protocol.js'
import { variants } from './variants.js'

export interface PrecisionRecall {
  readonly element: HTMLElement
  readonly readings: HTMLElement
  show(snapshot: Snapshot, cut: Cut, recall: number): void
}

const x = linear('recall', 0, 1, 0.2)
const y = linear('precision', 0, 1, 0.2)

export function precisionRecall(read: (recall: number) => void): PrecisionRecall {
  const chart = lineChart('training-curve', 'Precision and recall on the test points', read, 300)
  const readings = legend('training-readings')
  return {
    element: chart.element,
    readings: readings.element,
    show({ measured }, cut, recall) {
      const precisions = variants.map(({ id }) => precisionAt(measured[id].curve, recall).toFixed(3))
      chart.show({
        x,
        y,
        series: variants.map(({ id, name, look }) => {
          const decided = measured[id].decided[cut]
          return {
            name,
            look,
            points: measured[id].curve.map((point) => [point.recall, point.precision] as const),
            marks: decided.recall > 0 ? [[decided.recall, decided.precision] as const] : [],
          }
        }),
        at: recall,
        summary: `At a recall of ${recall.toFixed(2)} the precision is: ${variants.map(({ name }, i) => `${name} ${precisions[i]}`).join('; ')}.`,
      })
      readings.show(
        `Read at a recall of ${recall.toFixed(2)}`,
        ['precision', 'average precision'],
        variants.map(({ id, name, look }, i) => ({ name, look, values: [precisions[i], measured[id].averagePrecision.toFixed(3)] })),
      )
    },
  }
}

/** At the first point of the curve that reaches the recall. */
function precisionAt(curve: readonly CurvePoint[], recall: number): number {
  return (curve.find((point) => point.recall >= recall) ?? curve[curve.length - 1]).precision
}
