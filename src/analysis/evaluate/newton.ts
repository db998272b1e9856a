/** Newton's method for several convex functions of one positive number each, all evaluated in one pass. */

/** Of each function at its number: value, first and second derivative. `weight` is that of all examples. */
export interface Slopes {
  readonly weight: number
  readonly value: Float64Array
  readonly first: Float64Array
  readonly second: Float64Array
}

/** Where a least value is looked for. */
const [LEAST, MOST] = [1e-4, 1e4]

/** The numbers of least value; a sentence for a function that has none between 1e-4 and 1e4. */
export function minimise(count: number, slopesAt: (at: readonly number[]) => Slopes): (number | string)[] {
  const all = (value: number) => Array.from({ length: count }, () => value)
  const [low, high] = [all(LEAST), all(MOST)]
  const [atLow, atHigh] = [slopesAt(low).first, slopesAt(high).first]
  const failures = low.map((_, i) => {
    if (atLow[i] === 0 && atHigh[i] === 0) return 'nothing depends on it'
    if (atLow[i] >= 0) return 'the log loss is least where all scores are equal, as high ones are no more often right than low ones'
    return atHigh[i] <= 0 ? 'the log loss falls all the way to a temperature of 0, as no score is on the wrong side of 0' : undefined
  })
  let at = all(1)
  for (let step = 0; step < 100; step++) {
    const { first, second } = slopesAt(at)
    const next = at.map((x, i) => {
      if (failures[i] !== undefined || first[i] === 0) return x
      if (first[i] < 0) low[i] = x
      else high[i] = x
      const newton = x - first[i] / second[i]
      return newton > low[i] && newton < high[i] ? newton : Math.sqrt(low[i] * high[i])
    })
    const moved = Math.max(...next.map((x, i) => Math.abs(x - at[i]) / x))
    at = next
    if (moved < 1e-12) break
  }
  return at.map((x, i) => failures[i] ?? x)
}
