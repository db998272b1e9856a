/** The log loss of logits that are multiplied by a number, and its derivatives by that number, which it is convex in. */
import { sigmoid, softplus } from '../../formulas/formula.js'
import { firstOf, isValid, targetOf } from '../../problem/positions.js'
import type { Problem } from '../../problem/problem.js'
import type { Slopes } from './newton.js'
import { logitOf, readRow, truthOf, weightOf } from './numbers.js'

function nothing(count: number) {
  return { weight: 0, value: new Float64Array(count), first: new Float64Array(count), second: new Float64Array(count) }
}

/** `betas`: one for all classes, or one for each. Infinite logits, which no number changes, are left out of the sums. */
export function slopesOfElements(problem: Problem, betas: readonly number[]): Slopes {
  const { outer, classes, inner, positiveFrom } = problem
  const sums = nothing(betas.length)
  for (let r = 0; r < outer * inner; r++) {
    const first = firstOf(problem, r)
    for (let c = 0; c < classes; c++) {
      const k = first + c * inner
      const weight = weightOf(problem, r, k)
      if (weight === 0 || !isValid(problem, r, k)) continue
      const x = logitOf(problem, k)
      if (!Number.isFinite(x)) continue
      // Of a positive seen in the mirror: softplus(z) is its loss
      const z = targetOf(problem, r, k, c) >= positiveFrom ? -x : x
      const i = betas.length === 1 ? 0 : c
      const q = sigmoid(betas[i] * z)
      sums.weight += weight
      sums.value[i] += weight * softplus(betas[i] * z)
      sums.first[i] += weight * z * q
      sums.second[i] += weight * z * z * q * sigmoid(-betas[i] * z)
    }
  }
  return sums
}

export function slopesOfRows(problem: Problem, [beta]: readonly number[]): Slopes {
  const { outer, classes, inner } = problem
  const sums = nothing(1)
  const row = new Float64Array(classes)
  for (let r = 0; r < outer * inner; r++) {
    const weight = weightOf(problem, r, r)
    const truth = weight === 0 ? -1 : truthOf(problem, r)
    if (truth < 0) continue
    readRow(problem, r, row)
    const top = row.reduce((a, b) => Math.max(a, b))
    if (!Number.isFinite(top) || row[truth] === -Infinity) continue
    let [total, mean, square] = [0, 0, 0]
    for (const x of row) {
      const z = x - top
      // The share of a class of probability 0 is 0, whatever its logit
      if (z === -Infinity) continue
      const share = Math.exp(beta * z)
      total += share
      mean += share * z
      square += share * z * z
    }
    mean /= total
    const z = row[truth] - top
    sums.weight += weight
    sums.value[0] += weight * (Math.log(total) - beta * z)
    sums.first[0] += weight * (mean - z)
    sums.second[0] += weight * Math.max(0, square / total - mean * mean)
  }
  return sums
}
