/**
 * Points of the plane, of which few are positive: two small clusters in a wide cloud of negatives, some of which lie about the
 * clusters. The densities are known, and so is the true probability at every place.
 */
import type { Random } from '../../../examples/cell-detector/random.js'

export interface Points {
  /** x and y in turn. */
  readonly places: Float64Array<ArrayBuffer>
  readonly targets: Uint8Array
}

/** The square that is drawn: -EXTENT to EXTENT both ways. */
export const EXTENT = 3

interface Cloud {
  readonly share: number
  readonly x: number
  readonly y: number
  readonly deviation: number
}

const positiveClouds: readonly Cloud[] = [
  { share: 0.5, x: 1.1, y: 0.9, deviation: 0.2 },
  { share: 0.5, x: -1.2, y: -0.5, deviation: 0.16 },
]
const negativeClouds: readonly Cloud[] = [
  { share: 0.96, x: 0, y: 0, deviation: 1.5 },
  { share: 0.02, x: 1.1, y: 0.9, deviation: 0.6 },
  { share: 0.02, x: -1.2, y: -0.5, deviation: 0.6 },
]

/** What share of the points is positive, with `ratio` negatives to each. */
export function priorOf(ratio: number): number {
  return 1 / (1 + ratio)
}

/** The positives first. */
export function drawPoints(random: Random, count: number, ratio: number): Points {
  const positives = Math.round(count * priorOf(ratio))
  const places = new Float64Array(2 * count)
  const targets = new Uint8Array(count).fill(1, 0, positives)
  for (let i = 0; i < count; i++) {
    const { x, y, deviation } = pick(i < positives ? positiveClouds : negativeClouds, random.next())
    places[2 * i] = x + deviation * random.normal()
    places[2 * i + 1] = y + deviation * random.normal()
  }
  return { places, targets }
}

/** The probability that a point here is positive. */
export function trueProbability(x: number, y: number, ratio: number): number {
  const prior = priorOf(ratio)
  const positive = prior * density(positiveClouds, x, y)
  return positive / (positive + (1 - prior) * density(negativeClouds, x, y))
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
