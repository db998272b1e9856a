/** Ranks in one thread: an all-reduce that waits for all of them. */
import type { Collective } from 'focal-loss/parallel'

export function ranksOf(size: number): Collective[] {
  let waiting: { array: Float64Array | Float32Array; done: () => void }[] = []
  return Array.from({ length: size }, (_, rank) => ({
    rank,
    size,
    allReduce: (array) =>
      new Promise<void>((done) => {
        waiting.push({ array, done })
        if (waiting.length < size) return
        const all = waiting
        waiting = []
        const sums = Array.from(array, (_, k) => all.reduce((sum, each) => sum + each.array[k], 0))
        for (const each of all) {
          each.array.set(sums)
          each.done()
        }
      }),
  }))
}
