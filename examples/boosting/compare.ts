import { evaluate, presets, SigmoidFocalLoss } from 'focal-loss'
import { Random } from '../cell-detector/random.js'
import { boost, type BoostOptions, type Labelled } from './boost.js'
import { type Dataset, drawData } from './data.js'
import { addTree, binColumn, edgesOf } from './tree.js'

const ROWS = { train: 8000, validation: 4000, test: 8000 }
const OPTIONS: BoostOptions = { rounds: 200, rate: 0.15, depth: 3, leastRows: 20, l2: 50 }
/** Validation looks at every so many rounds, and ends the training after so many without a better one. */
const LOOK_EVERY = 5
const PATIENCE = 25

/** What is compared, for data of which the share `prior` is positive. */
export function variantsFor(prior: number): readonly { readonly name: string; readonly loss: SigmoidFocalLoss<'sum'> }[] {
  const variant = (name: string, options: object) => ({ name, loss: new SigmoidFocalLoss({ ...options, reduction: 'sum' }) })
  return [
    variant('cross entropy', presets.crossEntropy),
    variant('weighted cross entropy', presets.weightedCrossEntropy(1 - prior)),
    variant('focal, gamma 2', { gamma: 2, alpha: null }),
    variant('focal, gamma 2, alpha 0.25', { gamma: 2, alpha: 0.25 }),
  ]
}

export interface Score {
  readonly name: string
  /** On test, as are the others. */
  readonly averagePrecision: number
  /** Of the probabilities that `toProbability` gives. */
  readonly logLoss: number
  /** Of the sigmoid, taken for a probability. */
  readonly sigmoidLogLoss: number
  /** The number of trees with the best log loss on validation; null for what was not trained. */
  readonly rounds: number | null
}

/** Draws data and trains each variant on it. The last score is that of the true posterior: nothing can do better but by luck. */
export function* compare(seed: number): Generator<Score> {
  const random = new Random(seed)
  const train = drawData(ROWS.train, random)
  const validation = drawData(ROWS.validation, random)
  const test = drawData(ROWS.test, random)
  const edges = train.columns.map(edgesOf)
  const bin = ({ rows, columns, labels }: Dataset): Labelled => ({ data: { rows, columns: columns.map((column, c) => binColumn(column, edges[c])) }, labels })
  const binned = { train: bin(train), validation: bin(validation), test: bin(test) }
  const prior = train.labels.reduce((a, b) => a + b, 0) / ROWS.train

  for (const { name, loss } of variantsFor(prior)) {
    const { margins, rounds } = fit(binned, loss, prior)
    yield {
      name,
      averagePrecision: precisionOf(margins, test.labels),
      logLoss: logLoss(loss.toProbability(margins), test.labels),
      sigmoidLogLoss: logLoss(margins.map((x) => 1 / (1 + Math.exp(-x))), test.labels),
      rounds,
    }
  }
  const best = logLoss(test.posteriors, test.labels)
  const name = 'the posterior itself'
  yield { name, averagePrecision: precisionOf(test.posteriors, test.labels), logLoss: best, sigmoidLogLoss: best, rounds: null }
}

/** Trains until validation stops improving. Returns the margins of test with the trees up to the best round. */
function fit({ train, validation, test }: Record<keyof typeof ROWS, Labelled>, loss: SigmoidFocalLoss<'sum'>, prior: number) {
  const base = loss.priorBias(prior)
  const seen = new Float64Array(ROWS.validation).fill(base)
  const margins = new Float64Array(ROWS.test).fill(base)
  let best = { score: Infinity, rounds: 0, margins: margins.slice() }
  let rounds = 0
  for (const { tree } of boost(train, loss, base, OPTIONS)) {
    rounds++
    addTree(tree, validation.data, OPTIONS.rate, seen)
    addTree(tree, test.data, OPTIONS.rate, margins)
    if (rounds % LOOK_EVERY > 0) continue
    const score = logLoss(loss.toProbability(seen), validation.labels)
    if (score < best.score) best = { score, rounds, margins: margins.slice() }
    else if (rounds >= best.rounds + PATIENCE) break
  }
  return best
}

/** Any scores in the order of the logits have the same. */
function precisionOf(scores: Float64Array, labels: Uint8Array): number {
  const { averagePrecision } = evaluate(scores, labels, { loss: new SigmoidFocalLoss() }).raw
  if (averagePrecision === null) throw new RangeError('labels has no positives')
  return averagePrecision
}

/** The mean cross entropy of probabilities: least, in expectation, for the true ones. */
function logLoss(probabilities: Float64Array, labels: Uint8Array): number {
  return probabilities.reduce((sum, p, i) => sum - Math.log(labels[i] === 1 ? p : 1 - p), 0) / labels.length
}
