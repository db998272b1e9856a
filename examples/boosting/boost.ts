import type { SigmoidFocalLoss } from 'focal-loss'
import { addTree, type Binned, growTree, type Tree } from './tree.js'

export interface Labelled {
  readonly data: Binned
  readonly labels: Uint8Array
}

export interface BoostOptions {
  readonly rounds: number
  /** The share of each Newton step that is taken. */
  readonly rate: number
  readonly depth: number
  readonly leastRows: number
  /** In rows of average second derivative, so that it means the same to a loss and to a hundredth of it. */
  readonly l2: number
}

export interface Round {
  readonly tree: Tree
  /** The mean loss before the tree. */
  readonly loss: number
}

/** Focal loss is concave for badly misclassified rows: there a Newton step would point uphill, and near there it would be far too long. */
const LEAST_HESS = 1e-4

/** Gradient boosting by Newton steps from the constant `base`. Yields round by round, so that the caller may stop. */
export function* boost(train: Labelled, loss: SigmoidFocalLoss<'sum'>, base: number, options: BoostOptions): Generator<Round> {
  const { rows } = train.data
  const margins = new Float64Array(rows).fill(base)
  const [grad, hess] = [new Float64Array(rows), new Float64Array(rows)]
  for (let round = 0; round < options.rounds; round++) {
    const { value } = loss.valueGradAndHess(margins, train.labels, { grad, hess, clampHess: LEAST_HESS })
    const average = hess.reduce((a, b) => a + b, 0) / rows
    const tree = growTree(train.data, grad, hess, { ...options, l2: options.l2 * average })
    addTree(tree, train.data, options.rate, margins)
    yield { tree, loss: value / rows }
  }
}
