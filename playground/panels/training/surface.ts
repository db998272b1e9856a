/** The output of one network over the square: probability as colour, decision boundary, test points, and the probe. */
import { h, onWidth } from '../../ui/dom.js'
import { channels, colour } from '../../ui/theme.js'
import { EXTENT } from './data.js'
import { GRID, type Snapshot } from './protocol.js'

export interface SurfaceContent {
  /** Row by row from the top, as are the logits. */
  readonly probabilities: Float32Array
  readonly logits: Float32Array
  /** The logit from which on a place is called positive. */
  readonly threshold: number
  readonly shown: Snapshot['shown']
  readonly probe: { readonly x: number; readonly y: number }
  /** What a screen reader says. */
  readonly summary: string
}

export interface SurfaceView {
  readonly element: HTMLElement
  show(content: SurfaceContent): void
  repaint(): void
}

export function surfaceView(id: string, title: string, key: SVGElement, probed: (x: number, y: number) => void): SurfaceView {
  const canvas = h('canvas', { id, role: 'img', class: 'surface' })
  const element = h('figure', { class: 'chart-box' }, h('figcaption', {}, key, title), canvas)
  let content: SurfaceContent | undefined
  const repaint = () => {
    if (content !== undefined && canvas.width > 0) paint(canvas, content)
  }
  onWidth(element, (width) => {
    canvas.width = canvas.height = Math.round(width * devicePixelRatio)
    repaint()
  })
  const follow = (event: PointerEvent) => {
    if (event.buttons === 0) return
    const box = canvas.getBoundingClientRect()
    const along = (share: number) => Math.min(EXTENT, Math.max(-EXTENT, Math.round((2 * share - 1) * EXTENT * 10) / 10))
    probed(along((event.clientX - box.left) / box.width), along((box.bottom - event.clientY) / box.height))
  }
  canvas.addEventListener('pointerdown', follow)
  canvas.addEventListener('pointermove', follow)
  return {
    element,
    show(next) {
      content = next
      canvas.setAttribute('aria-label', `${title}. ${next.summary}`)
      repaint()
    },
    repaint,
  }
}

function paint(canvas: HTMLCanvasElement, { probabilities, logits, threshold, shown, probe }: SurfaceContent): void {
  const context = canvas.getContext('2d')
  if (context === null) return
  const size = canvas.width
  const pixel = size / 240
  context.drawImage(coloured(probabilities), 0.5, 0.5, GRID - 1, GRID - 1, 0, 0, size, size)
  const toX = (x: number) => ((x + EXTENT) / (2 * EXTENT)) * size
  const toY = (y: number) => ((EXTENT - y) / (2 * EXTENT)) * size
  context.lineWidth = pixel
  for (let i = 0; i < shown.places.length / 2; i++) {
    const [x, y] = [toX(shown.places[2 * i]), toY(shown.places[2 * i + 1])]
    context.beginPath()
    if (i < shown.positives) {
      context.strokeStyle = colours().positive
      context.moveTo(x - 2 * pixel, y)
      context.lineTo(x + 2 * pixel, y)
      context.moveTo(x, y - 2 * pixel)
      context.lineTo(x, y + 2 * pixel)
      context.stroke()
    } else {
      context.fillStyle = colours().negative
      context.arc(x, y, pixel, 0, 2 * Math.PI)
      context.fill()
    }
  }
  context.strokeStyle = colours().line
  context.lineWidth = 2 * pixel
  context.beginPath()
  for (const [x0, y0, x1, y1] of contour(logits, threshold)) {
    context.moveTo((x0 / (GRID - 1)) * size, (y0 / (GRID - 1)) * size)
    context.lineTo((x1 / (GRID - 1)) * size, (y1 / (GRID - 1)) * size)
  }
  context.stroke()
  context.lineWidth = 1.5 * pixel
  context.beginPath()
  context.arc(toX(probe.x), toY(probe.y), 5 * pixel, 0, 2 * Math.PI)
  context.stroke()
}

function colours() {
  return { positive: colour('vermillion'), negative: colour('muted'), line: colour('ink') }
}

/** A small picture, one pixel for each place, from the paper's colour to blue. */
function coloured(probabilities: Float32Array): OffscreenCanvas {
  const [from, to] = [channels(colour('card')), channels(colour('blue'))]
  const image = new ImageData(GRID, GRID)
  probabilities.forEach((p, i) => {
    for (let channel = 0; channel < 3; channel++) image.data[4 * i + channel] = from[channel] + p * (to[channel] - from[channel])
    image.data[4 * i + 3] = 255
  })
  const canvas = new OffscreenCanvas(GRID, GRID)
  canvas.getContext('2d')?.putImageData(image, 0, 0)
  return canvas
}

type Piece = readonly [x0: number, y0: number, x1: number, y1: number]

/** Where the logits cross the level: marching squares, with straight pieces between the sides of each cell. */
function contour(logits: Float32Array, level: number): Piece[] {
  const pieces: Piece[] = []
  for (let row = 0; row < GRID - 1; row++) {
    for (let column = 0; column < GRID - 1; column++) {
      const corner = (dx: number, dy: number) => logits[(row + dy) * GRID + column + dx] - level
      const crossings = sides.flatMap(([ax, ay, bx, by]) => {
        const [a, b] = [corner(ax, ay), corner(bx, by)]
        if (a < 0 === b < 0) return []
        const share = a / (a - b)
        return [[column + ax + share * (bx - ax), row + ay + share * (by - ay)] as const]
      })
      for (let i = 0; i + 1 < crossings.length; i += 2) pieces.push([...crossings[i], ...crossings[i + 1]])
    }
  }
  return pieces
}

const sides = [
  [0, 0, 1, 0],
  [1, 0, 1, 1],
  [1, 1, 0, 1],
  [0, 1, 0, 0],
] as const
