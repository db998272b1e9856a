/**
 * Four panels as SVG text, positives on the left and negatives on the right. Above: examples sorted by loss, and how the sum of
 * their losses builds up (figure 4 of Lin et al. 2017). Below: what share of the whole loss each bin of p_t has.
 */
import type { CurvePoint, ExplainedLoss } from 'focal-loss'
import type { ExplainedFiles } from './explained.js'
import { nameOf, shortest } from './tables.js'
import { line, openSvg, PALETTE, polyline, rounded, text } from '../output/svg.js'

type Group = 'positives' | 'negatives'

export interface Panel {
  readonly left: number
  readonly top: number
  readonly title: string
  readonly xTitle: string
  readonly yTitle: string
  /** Along the bottom, from 0 to 1. */
  readonly xTicks: readonly { readonly at: number; readonly label: string }[]
  readonly curves: readonly (readonly (readonly [x: number, y: number])[])[]
  readonly dots: boolean
}

const SIZE = { width: 320, height: 240 }
const GAP = { left: 64, top: 44, right: 24, bottom: 56 }
const COLUMN = GAP.left + SIZE.width + GAP.right
const ROW = GAP.top + SIZE.height + GAP.bottom
const LEGEND_LINE = 18
export const TENTHS = [0, 0.2, 0.4, 0.6, 0.8, 1]

export function explainChart({ example, losses }: ExplainedFiles): string {
  // Of a softmax often all rows have a class
  const groups = (['positives', 'negatives'] as const).filter((group) => losses[0][group].count > 0 || losses[0].all.count === 0)
  const called = example === 'row' ? { positives: 'rows with a class', negatives: 'rows without a class' } : { positives: 'positives', negatives: 'negatives' }
  const panels = groups.flatMap((group, column) => [
    cumulative(group, called[group], losses, column * COLUMN + GAP.left, GAP.top),
    shares(group, called[group], losses, column * COLUMN + GAP.left, ROW + GAP.top),
  ])
  const legendTop = 2 * ROW + 8
  return [
    ...openSvg(groups.length * COLUMN, legendTop + LEGEND_LINE * losses.length + 8, `Cumulative loss, and share of the loss by p_t: ${losses.map(nameOf).join(', ')}. The tables have the numbers.`),
    ...panels.flatMap(drawPanel),
    ...legend(losses.map(nameOf), legendTop),
    '</svg>',
    '',
  ].join('\n')
}

function cumulative(group: Group, called: string, losses: readonly ExplainedLoss[], left: number, top: number): Panel {
  return {
    left,
    top,
    title: `Cumulative loss of the ${called}`,
    xTitle: `share of the ${called}, smallest loss first`,
    yTitle: 'share of their loss',
    xTicks: TENTHS.map((at) => ({ at, label: String(at) })),
    curves: losses.map(({ curves }) => curves[group].map(({ examples, loss }: CurvePoint) => [examples, loss] as const)),
    dots: false,
  }
}

function shares(group: Group, called: string, losses: readonly ExplainedLoss[], left: number, top: number): Panel {
  const { bins } = losses[0]
  const middle = (bin: number) => (bin + 0.5) / bins.length
  // Edges stand between the bins, thinned where there are many
  const every = Math.ceil(bins.length / 12)
  const edges = [...bins.map(({ from }) => from), 1]
  return {
    left,
    top,
    title: `Loss of the ${called}, by p_t`,
    xTitle: 'p_t, hard on the left and easy on the right',
    yTitle: 'share of the whole loss',
    xTicks: edges.flatMap((edge, i) => (i % every === 0 ? [{ at: i / bins.length, label: shortest(edge) }] : [])),
    curves: losses.map((one) => one.bins.map((bin, i) => [middle(i), bin[group].lossShare] as const)),
    dots: true,
  }
}

/** About as wide as a digit of a label and its point are in a wide font, and the least gap between two labels. */
const [DIGIT, POINT, APART] = [5.8, 2.9, 3]

function widthOf(label: string): number {
  return Array.from(label, (character) => (character === '.' ? POINT : DIGIT)).reduce((a, b) => a + b, 0)
}

/** How many lines lower each label stands: one that would touch its neighbour goes below it. */
function linesOf(ticks: Panel['xTicks']): number[] {
  const ends = [-Infinity, -Infinity]
  return ticks.map(({ at, label }) => {
    const [middle, half] = [at * SIZE.width, widthOf(label) / 2]
    const line = middle - half >= ends[0] + APART ? 0 : 1
    ends[line] = middle + half
    return line
  })
}

/** One panel alone, with a name for each of its curves. */
export function panelChart(panel: Omit<Panel, 'left' | 'top'>, names: readonly string[]): string {
  const legendTop = ROW + 8
  return [
    ...openSvg(COLUMN, legendTop + LEGEND_LINE * names.length, `${panel.title}: ${names.join(', ')}`),
    ...drawPanel({ ...panel, left: GAP.left, top: GAP.top }),
    ...legend(names, legendTop),
    '</svg>',
    '',
  ].join('\n')
}

function legend(names: readonly string[], top: number): string[] {
  return names.flatMap((name, i) => [
    line(GAP.left, top + LEGEND_LINE * i, GAP.left + 24, top + LEGEND_LINE * i, strokeOf(i)),
    text(GAP.left + 32, top + LEGEND_LINE * i + 4, name),
  ])
}

function drawPanel({ left, top, title, xTitle, yTitle, xTicks, curves, dots }: Panel): string[] {
  const x = (share: number) => left + share * SIZE.width
  const y = (share: number) => top + (1 - share) * SIZE.height
  const [right, bottom] = [left + SIZE.width, top + SIZE.height]
  const lines = linesOf(xTicks)
  return [
    text(left, top - 14, title, 'font-size="14"'),
    ...xTicks.flatMap(({ at, label }, i) => [
      line(x(at), top, x(at), bottom, 'stroke="#ececec"'),
      text(x(at), bottom + 14 + 11 * lines[i], label, 'text-anchor="middle" font-size="9"'),
    ]),
    ...TENTHS.flatMap((at) => [
      line(left, y(at), right, y(at), 'stroke="#ececec"'),
      text(left - 8, y(at) + 4, String(at), 'text-anchor="end" font-size="10"'),
    ]),
    text((left + right) / 2, bottom + 42, xTitle, 'text-anchor="middle"'),
    text(left - 40, (top + bottom) / 2, yTitle, `text-anchor="middle" transform="rotate(-90 ${rounded(left - 40)} ${rounded((top + bottom) / 2)})"`),
    ...curves.flatMap((points, i) => {
      if (points.length === 0) return []
      const places = points.map(([across, up]) => [x(across), y(up)] as const)
      const circles = dots ? places.map(([cx, cy]) => `<circle cx="${rounded(cx)}" cy="${rounded(cy)}" r="2.5" fill="${colourOf(i)}"/>`) : []
      return [polyline(places, strokeOf(i)), ...circles]
    }),
  ]
}

function colourOf(i: number): string {
  return PALETTE[i % PALETTE.length]
}

function strokeOf(i: number): string {
  const dash = i < PALETTE.length ? '' : ' stroke-dasharray="6 3"'
  return `stroke="${colourOf(i)}" stroke-width="2"${dash}`
}
