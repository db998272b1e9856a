import { HEIGHT, WIDTH, type Box } from './data/micrograph.js'

/** The side of a cell in pixels. */
export const CELL = 8
export const COLUMNS = WIDTH / CELL
export const ROWS = HEIGHT / CELL
export const CELLS = COLUMNS * ROWS

/** A box keeps half of its area when its sides are multiplied by this. */
const INNER_HALF = Math.SQRT1_2

/** 1 for a cell whose centre lies in the inner half (by area, around its centre) of a platelet's box, else 0. */
export function markCells(platelets: readonly Box[]): Uint8Array {
  const targets = new Uint8Array(CELLS)
  for (const box of platelets) {
    const x = (box.left + box.right) / 2
    const y = (box.top + box.bottom) / 2
    const reachX = ((box.right - box.left) / 2) * INNER_HALF
    const reachY = ((box.bottom - box.top) / 2) * INNER_HALF
    for (let cell = 0; cell < CELLS; cell++) {
      const centreX = ((cell % COLUMNS) + 0.5) * CELL
      const centreY = (Math.floor(cell / COLUMNS) + 0.5) * CELL
      if (Math.abs(centreX - x) <= reachX && Math.abs(centreY - y) <= reachY) targets[cell] = 1
    }
  }
  return targets
}
