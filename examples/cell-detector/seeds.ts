import { formatDifference, formatInterval, pairedInterval, intervalOf, type Interval } from './intervals.js'
import type { Result } from './results.js'
import type { TextTable } from './tables.js'

/** What the variants are compared with. */
const BASE = 'cross entropy, prior'

/** Average precision of one variant with each seed. */
export interface SeedScores {
  readonly name: string
  readonly averagePrecision: readonly number[]
}

export function seedScores(results: readonly (readonly Result[])[]): SeedScores[] {
  return results[0].map(({ variant }, v) => ({ name: variant.name, averagePrecision: results.map((of) => of[v].averagePrecision) }))
}

/** Means with 95 % intervals over seeds; differences are paired: the same weights and order of the images on both sides. */
export function seedTable(scores: readonly SeedScores[]): TextTable {
  const base = scoresOf(scores, BASE)
  return {
    head: ['trained with', 'average precision', `against ${BASE}`, 'ahead'],
    rows: scores.map(({ name, averagePrecision }) => [
      name,
      formatInterval(intervalOf(averagePrecision), 4),
      ...(name === BASE ? ['', ''] : [formatDifference(pairedInterval(averagePrecision, base), 4), aheadOf(averagePrecision, base)]),
    ]),
  }
}

/** Focal loss against cross entropy, and its two starts against each other, in words that follow from the numbers alone. */
export function seedVerdict(scores: readonly SeedScores[]): string {
  const focal = scoresOf(scores, 'focal, gamma 2, alpha 0.25, prior')
  const rule = scoresOf(scores, 'focal, gamma 2, alpha 0.25, RetinaNet rule')
  const base = scoresOf(scores, BASE)
  return [
    `Over ${focal.length} seeds focal loss from loss.priorBias(prior) is ${weigh(pairedInterval(focal, base))} cross entropy from its own (ahead in ${aheadOf(focal, base)}),`,
    `and ${weigh(pairedInterval(focal, rule))} itself from the RetinaNet rule (ahead in ${aheadOf(focal, rule)}).`,
  ].join(' ')
}

function weigh(difference: Interval): string {
  const word = Math.abs(difference.mean) <= difference.half ? 'not to be told from' : difference.mean > 0 ? 'better than' : 'worse than'
  return `${word} (${formatDifference(difference, 4)})`
}

function aheadOf(a: readonly number[], b: readonly number[]): string {
  return `${a.filter((value, i) => value > b[i]).length} of ${a.length}`
}

function scoresOf(scores: readonly SeedScores[], name: string): readonly number[] {
  const found = scores.find((each) => each.name === name)
  if (found === undefined) throw new RangeError(`there is no variant "${name}"`)
  return found.averagePrecision
}
