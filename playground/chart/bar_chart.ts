/** Bars in groups: a group for each category, in it a bar for each series, with the series' marker on top. */
import { svg } from '../ui/dom.js'
import { type Frame, horizontalTitle, plot, verticalAxis } from './plot.js'
import { type Axis, place } from './scale.js'
import { type Look, markerAt } from './series.js'

export interface BarSeries {
  readonly name: string
  readonly look: Look
  /** One for each category. */
  readonly values: readonly number[]
}

export interface BarContent {
  readonly categories: readonly string[]
  /** Below the categories. */
  readonly title: string
  readonly y: Axis
  readonly series: readonly BarSeries[]
  /** What a screen reader says of the chart. */
  readonly summary: string
}

export interface BarChart {
  readonly element: HTMLElement
  show(content: BarContent): void
}

/** Of a group's width; the rest is between groups. */
const FILLED = 0.8

export function barChart(id: string, title: string, height = 240): BarChart {
  const { element, show } = plot(id, title, height, partsOf)
  return { element, show }
}

function partsOf({ categories, title, y, series }: BarContent, frame: Frame): SVGElement[] {
  const { left, right, top, bottom } = frame
  const group = (right - left) / categories.length
  const width = (FILLED * group) / Math.max(1, series.length)
  // Every second name where all would touch
  const every = Math.ceil((7 * Math.max(...categories.map(({ length }) => length))) / group)
  const parts = [...verticalAxis(y, frame), horizontalTitle(title, frame)]
  categories.forEach((category, i) => {
    const middle = left + (i + 0.5) * group
    if (i % every === 0) parts.push(svg('text', { x: middle, y: bottom + 18, class: 'tick middle' }, category))
    series.forEach(({ name, look, values }, k) => {
      const high = place(y, values[i], bottom, top)
      const from = middle + (k - series.length / 2) * width
      parts.push(svg('rect', { x: from, y: high, width: Math.max(1, width - 1), height: bottom - high, fill: `var(--${look.colour})`, 'fill-opacity': 0.75, 'data-series': name }))
      if (width > 8 && values[i] > 0) parts.push(markerAt(look, from + (width - 1) / 2, high))
    })
  })
  return parts
}
