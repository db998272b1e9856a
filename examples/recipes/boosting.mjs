// Gradient boosting by Newton steps: stumps on one column at a time, from gradient and second derivative
import { evaluate, SigmoidFocalLoss } from 'focal-loss'
import { randomNumbers } from './support.mjs'

const ROWS = 4000
const COLUMNS = 4
const { uniform, normal } = randomNumbers(1)
const labels = new Uint8Array(ROWS).map(() => (uniform() < 0.02 ? 1 : 0))
const columns = Array.from({ length: COLUMNS }, () => Float32Array.from(labels, (label) => normal() + 1.2 * label))

const loss = new SigmoidFocalLoss({ gamma: 2, alpha: null, reduction: 'sum' }) // a row's own derivatives: 'sum', not 'mean'
const scores = new Float64Array(ROWS).fill(loss.priorBias(0.02)) // not the log-odds: they are the optimum of cross entropy

for (let round = 0; round <= 40; round++) {
  const { value, grad, hess } = loss.valueGradAndHess(scores, labels, { clampHess: 1e-4 }) // the Hessian can be negative
  if (round % 20 === 0) console.log(`round ${round}: loss ${value.toFixed(2)}`)
  const column = columns[round % COLUMNS]
  const threshold = (round % 10) / 3 - 1
  for (const side of [false, true]) {
    let [G, H] = [0, 1] // 1 is the regularisation
    for (let i = 0; i < ROWS; i++) if (column[i] > threshold === side) [G, H] = [G + grad[i], H + hess[i]]
    for (let i = 0; i < ROWS; i++) if (column[i] > threshold === side) scores[i] -= (0.5 * G) / H
  }
}

const { raw, recalibrated } = evaluate(scores, labels, { loss })
console.log(`average precision ${raw.averagePrecision.toFixed(2)}`)
console.log(`log loss of the sigmoid ${raw.logLoss.toFixed(3)}, of toProbability ${recalibrated.logLoss.toFixed(3)}`)
