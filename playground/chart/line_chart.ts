/** Lines over two axes, with a reading line that the pointer moves. The panel says what stands where it is. */
import { svg } from '../ui/dom.js'
import { type Frame, horizontalAxis, plot, verticalAxis } from './plot.js'
import { type Axis, place, valueAt } from './scale.js'
import { type Look, markerAt, strokeOf } from './series.js'

export type Point = readonly [x: number, y: number]

export interface Series {
  readonly name: string
  readonly look: Look
  readonly points: readonly Point[]
  /** Where it is marked; on the reading line where that is left out. */
  readonly marks?: readonly Point[]
}

export interface LineContent {
  readonly x: Axis
  readonly y: Axis
  readonly series: readonly Series[]
  /** Where the reading line is, if anywhere. */
  readonly at?: number
  /** What a screen reader says of the chart. */
  readonly summary: string
}

export interface LineChart {
  readonly element: HTMLElement
  show(content: LineContent): void
}

/** `read` is called with a value of x where the pointer is. */
export function lineChart(id: string, title: string, read?: (x: number) => void, height = 280): LineChart {
  const { element, drawing, frame, content, show } = plot(id, title, height, partsOf)
  if (read !== undefined) {
    drawing.classList.add('readable')
    const follow = (event: PointerEvent) => {
      const shown = content()
      if (shown === undefined || (event.pointerType === 'touch' && event.buttons === 0)) return
      const { left, right } = frame()
      read(valueAt(shown.x, (event.clientX - drawing.getBoundingClientRect().left - left) / (right - left)))
    }
    drawing.addEventListener('pointermove', follow)
    drawing.addEventListener('pointerdown', follow)
  }
  return { element, show }
}

function partsOf({ x, y, series, at }: LineContent, frame: Frame): SVGElement[] {
  const { left, right, top, bottom } = frame
  const toX = (value: number) => place(x, value, left, right)
  const toY = (value: number) => place(y, value, bottom, top)
  const parts = [...verticalAxis(y, frame), ...horizontalAxis(x, frame)]
  if (at !== undefined) parts.push(svg('line', { x1: toX(at), x2: toX(at), y1: top, y2: bottom, class: 'reading' }))
  for (const { name, look, points } of series) {
    const path = points.map((point, i) => `${i === 0 ? 'M' : 'L'}${toX(point[0])} ${toY(point[1])}`).join('')
    parts.push(svg('path', { d: path, ...strokeOf(look), 'stroke-linejoin': 'round', 'data-series': name }))
  }
  for (const { look, points, marks } of series) {
    const marked = marks ?? (at === undefined ? [] : [[at, heightAt(points, at)] as const])
    for (const [markX, markY] of marked) if (Number.isFinite(markY)) parts.push(markerAt(look, toX(markX), toY(markY)))
  }
  return parts
}

/** Between its points a line is straight. */
export function heightAt(points: readonly Point[], at: number): number {
  const next = points.findIndex(([x]) => x >= at)
  if (next < 0) return points.at(-1)?.[1] ?? NaN
  const [x1, y1] = points[next]
  if (next === 0) return y1
  const [x0, y0] = points[next - 1]
  return x1 === x0 ? y1 : y0 + ((at - x0) / (x1 - x0)) * (y1 - y0)
}
