/** A line chart as SVG text: logits against nanoseconds per logit, both logarithmic. Small, so that it can be shipped. */
import type { Measurement } from './result.js'
import { significant } from '../output/numbers.js'
import { line, openSvg, PALETTE, polyline, rounded, text } from '../output/svg.js'

/** From the second loss or dtype on, lines are told apart by their dashes as well. */
const DASHES = ['', '6 3', '2 3', '8 3 2 3', '1 4']

const WIDTH = 760
const PLOT = { left: 64, right: 520, top: 40, bottom: 360 }
const LEGEND = { x: 540, lineHeight: 20 }
const HEIGHT = 410

interface Series {
  readonly title: string
  readonly colour: string
  readonly dash: string
  readonly points: readonly Measurement[]
}

const TITLE = 'Loss and gradient: nanoseconds per logit (lower is better)'

export function chart(measurements: readonly Measurement[]): string {
  const series = seriesOf(measurements)
  const x = logScale(measurements.map(({ elements }) => elements), PLOT.left, PLOT.right)
  const y = logScale(measurements.map(({ nanosecondsPerElement }) => nanosecondsPerElement), PLOT.bottom, PLOT.top)
  const height = Math.max(HEIGHT, PLOT.top + LEGEND.lineHeight * series.length + 20)
  return [
    ...openSvg(WIDTH, height, TITLE),
    text(PLOT.left, 22, TITLE, 'font-size="14"'),
    ...x.ticks.flatMap((at) => [
      line(x.of(at), PLOT.top, x.of(at), PLOT.bottom, 'stroke="#ececec"'),
      text(x.of(at), PLOT.bottom + 18, significant(at), 'text-anchor="middle"'),
    ]),
    ...y.ticks.flatMap((at) => [
      line(PLOT.left, y.of(at), PLOT.right, y.of(at), 'stroke="#ececec"'),
      text(PLOT.left - 8, y.of(at) + 4, significant(at), 'text-anchor="end"'),
    ]),
    text((PLOT.left + PLOT.right) / 2, PLOT.bottom + 38, 'logits in a call', 'text-anchor="middle"'),
    ...series.flatMap(({ title, colour, dash, points }, index) => {
      const legendY = PLOT.top + LEGEND.lineHeight * index
      const stroke = `stroke="${colour}" stroke-width="2"${dash === '' ? '' : ` stroke-dasharray="${dash}"`}`
      const places = points.map((point) => [x.of(point.elements), y.of(point.nanosecondsPerElement)] as const)
      return [
        polyline(places, stroke),
        ...places.map(([cx, cy]) => `<circle cx="${rounded(cx)}" cy="${rounded(cy)}" r="3" fill="${colour}"/>`),
        line(LEGEND.x, legendY, LEGEND.x + 24, legendY, stroke),
        text(LEGEND.x + 32, legendY + 4, title),
      ]
    }),
    '</svg>',
    '',
  ].join('\n')
}

/** A line for each backend, loss and dtype; what all lines share is left out of their titles. */
function seriesOf(measurements: readonly Measurement[]): Series[] {
  const kinds = distinct(measurements.map(kindOf))
  const names = distinct(measurements.map(({ who }) => who))
  return kinds.flatMap((kind, k) =>
    names.map((name, n) => ({
      title: kinds.length > 1 ? `${name}, ${kind}` : name,
      colour: PALETTE[n % PALETTE.length],
      dash: DASHES[k % DASHES.length],
      points: measurements
        .filter((row) => row.who === name && kindOf(row) === kind)
        .sort((a, b) => a.elements - b.elements),
    })),
  )
}

function kindOf({ loss, dtype }: Measurement): string {
  return `${loss} ${dtype}`
}

function distinct(values: readonly string[]): string[] {
  return [...new Set(values)]
}

interface Scale {
  readonly ticks: readonly number[]
  of(value: number): number
}

/** Whole decades, a tick at each. */
function logScale(values: readonly number[], from: number, to: number): Scale {
  const low = Math.floor(Math.log10(Math.min(...values)))
  const high = Math.max(low + 1, Math.ceil(Math.log10(Math.max(...values))))
  return {
    ticks: Array.from({ length: high - low + 1 }, (_, step) => 10 ** (low + step)),
    of: (value) => from + ((Math.log10(value) - low) / (high - low)) * (to - from),
  }
}
