/** A drawing over two axes, redrawn at the width of its container. */
import { h, oncePerFrame, onWidth, svg } from '../ui/dom.js'
import { type Axis, place } from './scale.js'

export interface Plot<C> {
  readonly element: HTMLElement
  readonly drawing: SVGSVGElement
  /** As it is drawn now. */
  readonly frame: () => Frame
  readonly content: () => C | undefined
  readonly show: (content: C) => void
}

/** Where the axes are, in pixels. */
export interface Frame {
  readonly left: number
  readonly right: number
  readonly top: number
  readonly bottom: number
}

const ROOM = { left: 54, right: 14, top: 12, bottom: 44 }

/** `summary` is what a screen reader says after the title. */
export function plot<C extends { readonly summary: string }>(id: string, title: string, height: number, partsOf: (content: C, frame: Frame) => readonly SVGElement[]): Plot<C> {
  const drawing = svg('svg', { id, role: 'img', height, class: 'chart' })
  const element = h('figure', { class: 'chart-box' }, h('figcaption', {}, title), drawing)
  let content: C | undefined
  let width = 0
  const frame = () => ({ left: ROOM.left, right: width - ROOM.right, top: ROOM.top, bottom: height - ROOM.bottom })
  const draw = oncePerFrame(() => {
    if (content === undefined || width === 0) return
    drawing.setAttribute('viewBox', `0 0 ${width} ${height}`)
    drawing.setAttribute('width', String(width))
    drawing.setAttribute('aria-label', `${title}. ${content.summary}`)
    drawing.replaceChildren(...partsOf(content, frame()))
  })
  onWidth(element, (now) => {
    width = now
    draw()
  })
  return {
    element,
    drawing,
    frame,
    content: () => content,
    show(next) {
      content = next
      draw()
    },
  }
}

export function verticalAxis(y: Axis, { left, right, top, bottom }: Frame): SVGElement[] {
  const middle = (top + bottom) / 2
  return [
    ...y.ticks.flatMap((tick) => {
      const at = place(y, tick, bottom, top)
      return [svg('line', { x1: left, x2: right, y1: at, y2: at, class: 'grid' }), svg('text', { x: left - 8, y: at + 4, class: 'tick end' }, y.format(tick))]
    }),
    svg('line', { x1: left, x2: right, y1: bottom, y2: bottom, class: 'axis' }),
    svg('text', { x: 12, y: middle, transform: `rotate(-90 12 ${middle})`, class: 'axis-title middle' }, y.title),
  ]
}

export function horizontalAxis(x: Axis, frame: Frame): SVGElement[] {
  const { left, right, bottom } = frame
  return [
    ...x.ticks.flatMap((tick) => {
      const at = place(x, tick, left, right)
      return [svg('line', { x1: at, x2: at, y1: bottom, y2: bottom + 4, class: 'axis' }), svg('text', { x: at, y: bottom + 18, class: 'tick middle' }, x.format(tick))]
    }),
    horizontalTitle(x.title, frame),
  ]
}

export function horizontalTitle(title: string, { left, right, bottom }: Frame): SVGElement {
  return svg('text', { x: (left + right) / 2, y: bottom + 38, class: 'axis-title middle' }, title)
}
