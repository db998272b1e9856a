import type { TextTable } from '../cell-detector/tables.js'
import type { Score } from './compare.js'

/** One row for each variant: means over the draws. */
export function summaryTable(draws: readonly (readonly Score[])[]): TextTable {
  const rows = draws[0].map(({ name }, v) => {
    const of = (value: (score: Score) => number) => draws.map((scores) => value(scores[v]))
    const rounds = of((score) => score.rounds ?? NaN)
    return [
      name,
      mean(of((score) => score.averagePrecision)).toFixed(3),
      mean(of((score) => score.logLoss)).toFixed(4),
      mean(of((score) => score.sigmoidLogLoss)).toFixed(4),
      rounds.some(Number.isNaN) ? '' : mean(rounds).toFixed(0),
    ]
  })
  return { head: ['trained with', 'average precision', 'log loss, calibrated', 'log loss of the sigmoid', 'trees'], rows }
}

/** What the numbers say about each variant against the first, cross entropy, on the same draws. */
export function verdicts(draws: readonly (readonly Score[])[]): string[] {
  const trained = draws[0].filter(({ rounds }) => rounds !== null)
  return trained.slice(1).map(({ name }, i) => {
    const precision = draws.map((scores) => scores[i + 1].averagePrecision - scores[0].averagePrecision)
    const loss = draws.map((scores) => scores[0].logLoss - scores[i + 1].logLoss)
    return `${name}: average precision ${against(precision, 3)}; log loss ${against(loss, 4)}.`
  })
}

/** `better`: by how much each draw is, above 0 where the variant is ahead. */
function against(better: readonly number[], digits: number): string {
  const average = mean(better)
  const error = Math.sqrt(mean(better.map((d) => (d - average) ** 2)) / (better.length - 1))
  const ahead = better.filter((d) => d > 0).length
  // Five draws or so: a mean within about 2.8 standard errors of 0 is what chance alone gives 19 times in 20
  const word = Math.abs(average) <= 2.8 * error ? 'not to be told from' : average > 0 ? 'better than' : 'worse than'
  return `${word} cross entropy (${average.toFixed(digits)} ± ${error.toFixed(digits)}, ahead in ${ahead} of ${better.length})`
}

function mean(values: readonly number[]): number {
  return values.reduce((a, b) => a + b, 0) / values.length
}
