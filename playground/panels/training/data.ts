/** Points of a data set. The densities are known, and so is the true probability at every place. */
import type { Random } from '../../../examples/cell-detector/random.js'
import type { Cloud, DataSet } from './data_sets.js'

export interface Points {
  /** x and y in turn. */
  readonly places: Float64Array<ArrayBuffer>
  readonly targets: Uint8Array
}

/** The square that is drawn: -EXTENT to EXTENT both ways. */
export const EXTENT = 3

/** What share of the points is positive, with `ratio` negatives to each. */
export function priorOf(ratio: number): number {
  return 1 / (1 + ratio)
}

/** What share of the training labels says so. */
export function labelledPriorOf({ wrong }: DataSet, ratio: number): number {
  const prior = priorOf(ratio)
  return prior * (1 - wrong) + (1 - prior) * wrong
}

/** The positives first. */
export function drawPoints(random: Random, count: number, { positives: positiveClouds, negatives }: DataSet, ratio: number): Points {
  const positives = Math.round(count * priorOf(ratio))
  const places = new Float64Array(2 * count)
  const targets = new Uint8Array(count).fill(1, 0, positives)
  for (let i = 0; i < count; i++) {
    const { x, y, deviation } = pick(i < positives ? positiveClouds : negatives, random.next())
    places[2 * i] = x + deviation * random.normal()
    places[2 * i + 1] = y + deviation * random.normal()
  }
  return { places, targets }
}

/** The same places, of which the share `wrong` has the other label. */
export function mislabel({ places, targets }: Points, wrong: number, random: Random): Points {
  return { places, targets: targets.map((target) => (random.next() < wrong ? 1 - target : target)) }
}

/** The probability that a point here is positive. */
export function trueProbability(x: number, y: number, { positives, negatives }: DataSet, ratio: number): number {
  const prior = priorOf(ratio)
  const positive = prior * density(positives, x, y)
  return positive / (positive + (1 - prior) * density(negatives, x, y))
}

function pick(clouds: readonly Cloud[], chance: number): Cloud {
  let left = chance
  return clouds.find(({ share }) => (left -= share) < 0) ?? clouds[0]
}

function density(clouds: readonly Cloud[], x: number, y: number): number {
  return clouds.reduce((sum, cloud) => {
    const variance = cloud.deviation ** 2
    return sum + (cloud.share / (2 * Math.PI * variance)) * Math.exp(-((x - cloud.x) ** 2 + (y - cloud.y) ** 2) / (2 * variance))
  }, 0)
}
