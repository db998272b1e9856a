/** What is kept of a histogram. */
import { checkRecord } from '../../arguments.js'
import { outOfRange } from '../../errors.js'
import { checkList, isAmount } from '../part.js'

/** As plain data, slots ascending. */
export interface HistogramState {
  /** How many bits of the numbers are left out. */
  readonly level: number
  /** The first slot's key, then what each is more than the one before. */
  readonly keys: readonly number[]
  readonly positives: readonly number[]
  readonly negatives: readonly number[]
  /** `null` where the weights are all 1, so that counts are their sums. */
  readonly counts: readonly number[] | null
}

/** Throws for a state that no histogram has written. */
export function checkHistogram(name: string, state: HistogramState): void {
  checkRecord(name, state)
  const { level, keys, positives, negatives, counts } = state
  if (!(Number.isInteger(level) && level >= 0 && level < 32)) throw outOfRange(`${name}.level`, level, 'an integer from 0 to 31')
  checkList(`${name}.keys`, keys, 'integers >= 0, which add up to fewer than 2^32', (key) => Number.isInteger(key) && isAmount(key))
  if (keys.reduce((sum, key) => sum + key, 0) >= 2 ** (32 - level)) throw outOfRange(`${name}.keys`, keys, `integers that add up to fewer than 2^${32 - level}`)
  checkList(`${name}.positives`, positives, 'finite numbers >= 0', isAmount, keys.length)
  checkList(`${name}.negatives`, negatives, 'finite numbers >= 0', isAmount, keys.length)
  if (counts !== null) checkList(`${name}.counts`, counts, 'finite numbers > 0', (count) => isAmount(count) && count > 0, keys.length)
}

/** As {@link checkHistogram}, one of each class. */
export function checkHistograms(name: string, states: readonly HistogramState[], classes: number): void {
  checkList(name, states, 'histograms, one for each class', (state) => typeof state === 'object', classes)
  states.forEach((state, c) => {
    checkHistogram(`${name}[${c}]`, state)
  })
}
