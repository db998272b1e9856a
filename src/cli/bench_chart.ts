/** A line chart as SVG text: logits against nanoseconds per logit, both logarithmic. Small, so that it can be shipped. */
import { type Measurement, significant } from './bench_result.js'

/** Distinguishable with the usual colour blindnesses (Okabe and Ito). */
const PALETTE = ['#0072b2', '#d55e00', '#009e73', '#cc79a7', '#7a7a7a', '#e69f00', '#56b4e9']
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

export function chart(measurements: readonly Measurement[]): string {
  const series = seriesOf(measurements)
  const x = logScale(measurements.map(({ elements }) => elements), PLOT.left, PLOT.right)
  const y = logScale(measurements.map(({ nanosecondsPerElement }) => nanosecondsPerElement), PLOT.bottom, PLOT.top)
  const height = Math.max(HEIGHT, PLOT.top + LEGEND.lineHeight * series.length + 20)
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" font-family="system-ui, sans-serif" font-size="12">`,
    `<rect width="${WIDTH}" height="${height}" fill="#fff"/>`,
    text(PLOT.left, 22, 'Loss and gradient: nanoseconds per logit (lower is better)', 'font-size="14"'),
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
      const places = points.map((point) => [x.of(point.elements), y.of(point.nanosecondsPerElement)])
      return [
        `<polyline points="${places.map((place) => place.map(rounded).join(',')).join(' ')}" fill="none" ${stroke}/>`,
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

function line(x1: number, y1: number, x2: number, y2: number, style: string): string {
  return `<line x1="${rounded(x1)}" y1="${rounded(y1)}" x2="${rounded(x2)}" y2="${rounded(y2)}" ${style}/>`
}

function text(x: number, y: number, content: string, style = ''): string {
  return `<text x="${rounded(x)}" y="${rounded(y)}"${style === '' ? '' : ` ${style}`}>${content}</text>`
}

function rounded(coordinate: number): string {
  return String(Math.round(coordinate * 10) / 10)
}
