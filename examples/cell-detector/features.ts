import { HEIGHT, WIDTH } from './data/micrograph.js'
import { CELL, CELLS, COLUMNS, ROWS } from './grid.js'

/** One number a cell. */
type CellMap = Float64Array

/** The neighbourhoods are squares of 2 r + 1 cells. */
const NEAR = 1
const WIDE = 3
const SURROUNDINGS = 7

/** Neighbourhoods are taken of these maps: brightness, blueness, saturation, edges. */
const SPREAD = ['green', 'blueness', 'saturation', 'edges'] as const

const OWN = [
  'red', 'green', 'blue', 'red deviation', 'green deviation', 'blue deviation',
  'blueness', 'saturation', 'edges', 'darkest green', 'bluest pixel',
] as const

export const FEATURE_NAMES: readonly string[] = [
  ...OWN,
  ...SPREAD.flatMap((name) => [`${name} near`, `${name} wide`, `${name} against surroundings`]),
  'blueness against image',
]
export const FEATURES = FEATURE_NAMES.length

/** Turns RGB pixels into CELLS rows of FEATURES numbers, not yet standardised. */
export function extractFeatures(pixels: Uint8Array): Float32Array {
  if (pixels.length !== WIDTH * HEIGHT * 3) throw new RangeError(`pixels has ${pixels.length} bytes; expected ${WIDTH * HEIGHT * 3}`)
  const own = measureCells(pixels)
  const maps: CellMap[] = OWN.map((name) => own[name])
  for (const name of SPREAD) {
    const integral = integrate(own[name])
    const near = boxMean(integral, NEAR)
    const surroundings = boxMean(integral, SURROUNDINGS)
    maps.push(near, boxMean(integral, WIDE), near.map((value, cell) => value - surroundings[cell]))
  }
  const blueness = own.blueness.reduce((sum, value) => sum + value, 0) / CELLS
  maps.push(own.blueness.map((value) => value - blueness))

  const rows = new Float32Array(CELLS * FEATURES)
  maps.forEach((map, feature) => {
    for (let cell = 0; cell < CELLS; cell++) rows[cell * FEATURES + feature] = map[cell]
  })
  return rows
}

/** One pass over the pixels: what each cell shows by itself. */
function measureCells(pixels: Uint8Array): Record<(typeof OWN)[number], CellMap> {
  const map = (): CellMap => new Float64Array(CELLS)
  const red = map(), green = map(), blue = map()
  const redSquares = map(), greenSquares = map(), blueSquares = map()
  const saturation = map(), edges = map()
  const darkest = map().fill(255), bluest = map().fill(-255)
  for (let y = 0, at = 0; y < HEIGHT; y++) {
    const below = y + 1 < HEIGHT ? WIDTH * 3 : 0
    for (let x = 0; x < WIDTH; x++, at += 3) {
      const cell = Math.floor(y / CELL) * COLUMNS + Math.floor(x / CELL)
      const right = x + 1 < WIDTH ? 3 : 0
      const r = pixels[at]
      const g = pixels[at + 1]
      const b = pixels[at + 2]
      red[cell] += r
      green[cell] += g
      blue[cell] += b
      redSquares[cell] += r * r
      greenSquares[cell] += g * g
      blueSquares[cell] += b * b
      saturation[cell] += Math.max(r, g, b) - Math.min(r, g, b)
      edges[cell] += Math.abs(g - pixels[at + 1 + right]) + Math.abs(g - pixels[at + 1 + below])
      if (g < darkest[cell]) darkest[cell] = g
      if (b - r > bluest[cell]) bluest[cell] = b - r
    }
  }
  const area = CELL * CELL
  const mean = (sums: CellMap): CellMap => sums.map((sum) => sum / area)
  const deviation = (squares: CellMap, sums: CellMap): CellMap =>
    squares.map((square, cell) => Math.sqrt(Math.max(0, square / area - (sums[cell] / area) ** 2)))
  return {
    red: mean(red),
    green: mean(green),
    blue: mean(blue),
    'red deviation': deviation(redSquares, red),
    'green deviation': deviation(greenSquares, green),
    'blue deviation': deviation(blueSquares, blue),
    blueness: blue.map((value, cell) => (value - red[cell]) / area),
    saturation: mean(saturation),
    edges: mean(edges),
    'darkest green': darkest,
    'bluest pixel': bluest,
  }
}

/** Summed-area table with a border of zeros: the sum over any rectangle of cells is then four look-ups. */
function integrate(map: CellMap): Float64Array {
  const stride = COLUMNS + 1
  const sums = new Float64Array(stride * (ROWS + 1))
  for (let row = 0; row < ROWS; row++) {
    let line = 0
    for (let column = 0; column < COLUMNS; column++) {
      line += map[row * COLUMNS + column]
      sums[(row + 1) * stride + column + 1] = sums[row * stride + column + 1] + line
    }
  }
  return sums
}

/** The mean over the square of `reach` cells around each cell, cut off at the image's border. */
function boxMean(sums: Float64Array, reach: number): CellMap {
  const stride = COLUMNS + 1
  const means = new Float64Array(CELLS)
  for (let row = 0; row < ROWS; row++) {
    const top = Math.max(0, row - reach) * stride
    const bottom = Math.min(ROWS, row + reach + 1) * stride
    for (let column = 0; column < COLUMNS; column++) {
      const left = Math.max(0, column - reach)
      const right = Math.min(COLUMNS, column + reach + 1)
      const sum = sums[bottom + right] - sums[top + right] - sums[bottom + left] + sums[top + left]
      means[row * COLUMNS + column] = sum / (((bottom - top) / stride) * (right - left))
    }
  }
  return means
}
