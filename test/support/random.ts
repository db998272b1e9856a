/** Seeded random numbers: the same in every run and on every machine. */

export interface Random {
  /** From 0 up to 1. */
  (): number
  between(low: number, high: number): number
  /** An integer from 0 to `below - 1`. */
  integer(below: number): number
  /** About standard normal, with its tails cut at 6. */
  normal(): number
  pick<T>(values: readonly T[]): T
}

/** Mulberry32. */
export function seeded(seed: number): Random {
  let state = seed >>> 0
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = state
    t = Math.imul(t ^ (t >>> 15), t | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
  const integer = (below: number) => Math.floor(next() * below)
  return Object.assign(next, {
    integer,
    between: (low: number, high: number) => low + next() * (high - low),
    normal: () => Array.from({ length: 12 }, next).reduce((a, b) => a + b, -6),
    pick: <T>(values: readonly T[]): T => values[integer(values.length)],
  })
}
