/** Lines over two axes, with a reading line that the pointer moves. The panel says what stands where it is. */
import { h, oncePerFrame, onWidth, svg } from '../ui/dom.js'
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

const ROOM = { left: 54, right: 14, top: 12, bottom: 44 }

/** `read` is called with a value of x where the pointer is. */
export function lineChart(id: string, title: string, read?: (x: number) => void, height = 280): LineChart {
  const drawing = svg('svg', { id, role: 'img', height, class: read === undefined ? 'chart' : 'chart readable' })
  const element = h('figure', { class: 'chart-box' }, h('figcaption', {}, title), drawing)
  let content: LineContent | undefined
  let width = 0
  const draw = oncePerFrame(() => {
    if (content === undefined || width === 0) return
    drawing.setAttribute('viewBox', `0 0 ${width} ${height}`)
    drawing.setAttribute('width', String(width))
    drawing.setAttribute('aria-label', `${title}. ${content.summary}`)
    drawing.replaceChildren(...partsOf(content, width, height))
  })
  onWidth(element, (now) => {
    width = now
    draw()
  })
  if (read !== undefined) {
    const follow = (event: PointerEvent) => {
      if (content === undefined || (event.pointerType === 'touch' && event.buttons === 0)) return
      const box = drawing.getBoundingClientRect()
      read(valueAt(content.x, (event.clientX - box.left - ROOM.left) / (width - ROOM.left - ROOM.right)))
    }
    drawing.addEventListener('pointermove', follow)
    drawing.addEventListener('pointerdown', follow)
  }
  return {
    element,
    show(next) {
      content = next
      draw()
    },
  }
}

function partsOf({ x, y, series, at }: LineContent, width: number, height: number): SVGElement[] {
  const [left, right, top, bottom] = [ROOM.left, width - ROOM.right, ROOM.top, height - ROOM.bottom]
  const toX = (value: number) => place(x, value, left, right)
  const toY = (value: number) => place(y, value, bottom, top)
  const parts: SVGElement[] = []
  for (const tick of y.ticks) {
    parts.push(svg('line', { x1: left, x2: right, y1: toY(tick), y2: toY(tick), class: 'grid' }))
    parts.push(svg('text', { x: left - 8, y: toY(tick) + 4, class: 'tick end' }, y.format(tick)))
  }
  for (const tick of x.ticks) {
    parts.push(svg('line', { x1: toX(tick), x2: toX(tick), y1: bottom, y2: bottom + 4, class: 'axis' }))
    parts.push(svg('text', { x: toX(tick), y: bottom + 18, class: 'tick middle' }, x.format(tick)))
  }
  parts.push(svg('line', { x1: left, x2: right, y1: bottom, y2: bottom, class: 'axis' }))
  parts.push(svg('text', { x: (left + right) / 2, y: height - 6, class: 'axis-title middle' }, x.title))
  const middle = (top + bottom) / 2
  parts.push(svg('text', { x: 12, y: middle, transform: `rotate(-90 12 ${middle})`, class: 'axis-title middle' }, y.title))
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
