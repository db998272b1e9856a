import { Random } from '../cell-detector/random.js'

/** Rows of numbers with labels of 0 and 1. Columns lie one after another, as trees read them. */
export interface Dataset {
  readonly rows: number
  readonly columns: readonly Float64Array[]
  readonly labels: Uint8Array
  /** The probability that each label was drawn with: what no model can know, and none can beat by more than luck. */
  readonly posteriors: Float64Array
}

/** The last two columns say nothing. */
const COLUMNS = 8

/**
 * Draws rows of which about one in sixty is positive. Most are easy: far from where positives are. The log-odds have bends, a
 * product and a step, so that a tree has something to find.
 */
export function drawData(rows: number, random: Random): Dataset {
  const columns = Array.from({ length: COLUMNS }, () => new Float64Array(rows))
  const labels = new Uint8Array(rows)
  const posteriors = new Float64Array(rows)
  for (let r = 0; r < rows; r++) {
    for (const column of columns) column[r] = random.normal()
    const [a, b, c, d, e, f] = columns.map((column) => column[r])
    const logOdds = -8 + 1.6 * a + 1.2 * Math.sin(2 * b) + 1.2 * c * d + 1.5 * Math.abs(e) + (f > 1 ? 1.5 : 0)
    posteriors[r] = 1 / (1 + Math.exp(-logOdds))
    labels[r] = random.next() < posteriors[r] ? 1 : 0
  }
  return { rows, columns, labels, posteriors }
}
