/**
 * Regression trees for Newton steps: grown on gradients and second derivatives, as XGBoost and LightGBM grow theirs. To
 * second order, moving a leaf's rows by `v` changes the loss by `G v + (H + l2) v^2 / 2`, with the leaf's sums `G` and `H`. The
 * best `v` is `-G / (H + l2)` and gains `G^2 / (H + l2) / 2`. The same tree is a least-squares fit of `-g / h` with weights `h`.
 */

/** Columns as numbers of bins, 0 to `BINS - 1`, so that a split is a choice between few. */
export interface Binned {
  readonly rows: number
  readonly columns: readonly Uint8Array[]
}

export const BINS = 32

/** Edges that part a column into bins of about as many rows each; a value belongs to the bin of the edges below it. */
export function edgesOf(column: Float64Array): Float64Array {
  const sorted = column.toSorted()
  return Float64Array.from({ length: BINS - 1 }, (_, k) => sorted[Math.floor(((k + 1) * sorted.length) / BINS)])
}

export function binColumn(column: Float64Array, edges: Float64Array): Uint8Array {
  return Uint8Array.from(column, (value) => {
    let bin = 0
    while (bin < edges.length && value >= edges[bin]) bin++
    return bin
  })
}

/** Rows whose bin of `column` is below `bin` go left. */
export interface Split {
  readonly column: number
  readonly bin: number
  /** How much less loss two leaves have than one; see above. */
  readonly gain: number
}

export type Tree = { readonly value: number } | { readonly split: Split; readonly left: Tree; readonly right: Tree }

export interface TreeOptions {
  /** Of the longest path: at most `2^depth` leaves. */
  readonly depth: number
  /** No leaf has fewer rows. */
  readonly leastRows: number
  /** Added to every sum of second derivatives. */
  readonly l2: number
}

/** Grows a tree on the given rows. Second derivatives must be above 0 in sum, which a clamp sees to. */
export function growTree(data: Binned, grad: Float64Array, hess: Float64Array, options: TreeOptions, rows = allRows(data)): Tree {
  const split = options.depth === 0 ? undefined : bestSplit(data, grad, hess, options, rows)
  if (split === undefined) return { value: -sumOver(rows, grad) / (sumOver(rows, hess) + options.l2) }
  const bins = data.columns[split.column]
  const below = { ...options, depth: options.depth - 1 }
  const grow = (side: Uint32Array) => growTree(data, grad, hess, below, side)
  return { split, left: grow(rows.filter((r) => bins[r] < split.bin)), right: grow(rows.filter((r) => bins[r] >= split.bin)) }
}

/** The split that gains most, or undefined where none gains. One pass a column: sums for each bin, then the sums below each edge. */
export function bestSplit(data: Binned, grad: Float64Array, hess: Float64Array, options: TreeOptions, rows = allRows(data)): Split | undefined {
  const { leastRows, l2 } = options
  const [allG, allH] = [sumOver(rows, grad), sumOver(rows, hess)]
  const score = (g: number, h: number) => (g * g) / (h + l2) / 2
  let best: Split | undefined
  data.columns.forEach((bins, column) => {
    const [G, H, count] = [new Float64Array(BINS), new Float64Array(BINS), new Uint32Array(BINS)]
    for (let i = 0; i < rows.length; i++) {
      const r = rows[i]
      const bin = bins[r]
      G[bin] += grad[r]
      H[bin] += hess[r]
      count[bin]++
    }
    let [g, h, n] = [0, 0, 0]
    for (let bin = 1; bin < BINS; bin++) {
      g += G[bin - 1]
      h += H[bin - 1]
      n += count[bin - 1]
      if (n < leastRows || rows.length - n < leastRows) continue
      const gain = score(g, h) + score(allG - g, allH - h) - score(allG, allH)
      if (gain > (best?.gain ?? 0)) best = { column, bin, gain }
    }
  })
  return best
}

/** Adds `rate` times the tree's value to each row's entry of `margins`. */
export function addTree(tree: Tree, data: Binned, rate: number, margins: Float64Array): void {
  for (let r = 0; r < data.rows; r++) {
    let node = tree
    while ('split' in node) node = data.columns[node.split.column][r] < node.split.bin ? node.left : node.right
    margins[r] += rate * node.value
  }
}

function allRows(data: Binned): Uint32Array {
  const rows = new Uint32Array(data.rows)
  for (let r = 0; r < rows.length; r++) rows[r] = r
  return rows
}

function sumOver(rows: Uint32Array, values: Float64Array): number {
  let sum = 0
  for (const r of rows) sum += values[r]
  return sum
}
