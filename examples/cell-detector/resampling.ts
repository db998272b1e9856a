import { CELLS } from './grid.js'
import { Random } from './random.js'

/** The test cells of one model from the highest score down. */
interface Ranking {
  readonly scores: Float32Array
  readonly images: Uint32Array
  readonly targets: Uint8Array
}

/**
 * Average precision of several models on test images resampled with replacement `draws` times: how far the choice
 * of images moves the result. Every model sees the same draws, so rows can be compared. Result: [model][draw].
 * A draw without any platelet is passed over.
 */
export function resampleAveragePrecision(scores: readonly Float32Array[], targets: Uint8Array, draws: number, seed: number): number[][] {
  const images = targets.length / CELLS
  const rankings = scores.map((of) => rank(of, targets))
  const random = new Random(seed)
  const results: number[][] = scores.map(() => [])
  for (let draw = 0; draw < draws; draw++) {
    const times = new Uint8Array(images)
    for (let i = 0; i < images; i++) times[random.integer(images)] += 1
    const positives = targets.reduce((sum, target, cell) => sum + target * times[Math.floor(cell / CELLS)], 0)
    if (positives === 0) continue
    rankings.forEach((ranking, model) => results[model]?.push(weightedAveragePrecision(ranking, times, positives)))
  }
  return results
}

function rank(scores: Float32Array, targets: Uint8Array): Ranking {
  const order = Uint32Array.from(scores, (_, cell) => cell).sort((a, b) => scores[b] - scores[a])
  return {
    scores: Float32Array.from(order, (cell) => scores[cell]),
    images: order.map((cell) => Math.floor(cell / CELLS)),
    targets: Uint8Array.from(order, (cell) => targets[cell]),
  }
}

/** As averagePrecision, with every cell counted as often as its image was drawn; equal scores enter together. */
function weightedAveragePrecision({ scores, images, targets }: Ranking, times: Uint8Array, positives: number): number {
  let sum = 0
  let truePositives = 0
  let reached = 0
  let called = 0
  for (let i = 0; i < scores.length && reached < positives; i++) {
    const weight = times[images[i]]
    called += weight
    truePositives += weight * targets[i]
    if (scores[i] !== scores[i + 1] && truePositives > reached) {
      sum += (truePositives / called) * ((truePositives - reached) / positives)
      reached = truePositives
    }
  }
  return sum
}

/** The range that holds the middle 95 % of the values. */
export function middle95(values: readonly number[]): [low: number, high: number] {
  const sorted = values.toSorted((a, b) => a - b)
  const at = (share: number): number => sorted[Math.round(share * (sorted.length - 1))] ?? NaN
  return [at(0.025), at(0.975)]
}
