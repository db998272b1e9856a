/** How series look. Colour is never the only difference: each series also has its own dashes and marker. */
import { svg } from '../ui/dom.js'

export type Marker = 'circle' | 'square' | 'diamond' | 'triangle' | 'cross' | 'down'

export interface Look {
  /** A colour of the palette in styles/theme.css, after Okabe and Ito. */
  readonly colour: 'ink' | 'blue' | 'vermillion' | 'green' | 'orange' | 'sky' | 'purple' | 'muted'
  readonly dash: string
  readonly marker: Marker
  readonly width?: number
}

export const looks = {
  crossEntropy: { colour: 'ink', dash: '', marker: 'circle', width: 2 },
  smoothed: { colour: 'green', dash: '2 4', marker: 'diamond', width: 2.5 },
  weighted: { colour: 'vermillion', dash: '8 4', marker: 'square', width: 2 },
  focal: { colour: 'blue', dash: '', marker: 'triangle', width: 3 },
  diagonal: { colour: 'muted', dash: '1 3', marker: 'circle', width: 1 },
} as const satisfies Record<string, Look>

const gammaLooks: Readonly<Record<number, Look>> = {
  0: looks.crossEntropy,
  0.5: { colour: 'green', dash: '2 3', marker: 'diamond' },
  1: { colour: 'orange', dash: '6 3', marker: 'square' },
  2: { colour: 'sky', dash: '10 3', marker: 'down' },
  5: { colour: 'purple', dash: '10 3 2 3', marker: 'cross' },
}

/** Of the gammas that are compared: the paper's. */
export function lookOfGamma(gamma: number): Look {
  return gammaLooks[gamma] ?? looks.focal
}

export function strokeOf({ colour, dash, width = 2 }: Look) {
  return { stroke: `var(--${colour})`, 'stroke-width': width, 'stroke-dasharray': dash === '' ? undefined : dash, fill: 'none' }
}

const outlines: Readonly<Record<Exclude<Marker, 'circle'>, string>> = {
  square: 'M-4-4H4V4H-4Z',
  diamond: 'M0-5.5L5.5 0L0 5.5L-5.5 0Z',
  triangle: 'M0-5.5L5.5 4.5H-5.5Z',
  down: 'M0 5.5L5.5-4.5H-5.5Z',
  cross: 'M-4-2.2L-2.2-4L0-1.8L2.2-4L4-2.2L1.8 0L4 2.2L2.2 4L0 1.8L-2.2 4L-4 2.2L-1.8 0Z',
}

export function markerAt({ colour, marker }: Look, x: number, y: number): SVGElement {
  const look = { fill: `var(--${colour})`, stroke: 'var(--paper)', 'stroke-width': 1.5, transform: `translate(${x} ${y})` }
  return marker === 'circle' ? svg('circle', { r: 4.5, ...look }) : svg('path', { d: outlines[marker], ...look })
}

/** A piece of the line with its marker, for legends. */
export function swatch(look: Look): SVGElement {
  return svg('svg', { width: 34, height: 14, viewBox: '0 0 34 14', class: 'swatch', 'aria-hidden': 'true' }, svg('line', { x1: 1, x2: 33, y1: 7, y2: 7, ...strokeOf(look) }), markerAt(look, 17, 7))
}
