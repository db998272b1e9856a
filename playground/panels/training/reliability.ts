/** The reliability diagram: are the scores calibrated, raw or recalibrated? */
import { lineChart, type LineChart } from '../../chart/line_chart.js'
import { linear } from '../../chart/scale.js'
import { looks } from '../../chart/series.js'
import { percent } from '../../ui/format.js'
import type { Snapshot } from './protocol.js'
import { variants } from './variants.js'

const x = linear('mean probability of a bin', 0, 1, 0.2)
const y = linear('share of positives in it', 0, 1, 0.2)

export interface Reliability {
  readonly element: HTMLElement
  show(snapshot: Snapshot, reading: 'score' | 'recalibrated'): void
}

export function reliability(): Reliability {
  const chart: LineChart = lineChart('training-reliability', 'Reliability: calibrated scores lie on the diagonal', undefined, 300)
  return {
    element: chart.element,
    show({ measured }, reading) {
      chart.show({
        x,
        y,
        series: [
          { name: 'calibrated', look: looks.diagonal, points: [[0, 0], [1, 1]], marks: [] },
          ...variants.map(({ id, name, look }) => {
            const points = measured[id].judged[reading].bins.map(({ mean, rate }) => [mean, rate] as const)
            return { name, look, points, marks: points }
          }),
        ],
        summary: `Calibration errors: ${variants.map(({ id, name }) => `${name} ${percent(measured[id].judged[reading].calibrationError)}`).join('; ')}.`,
      })
    },
  }
}
