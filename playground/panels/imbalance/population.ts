/**
 * The examples of the second panel: easy negatives, hard negatives and positives, any number of each. A group is normal in its
 * scores, and stands for any number of examples by as many of its quantiles as are needed: a smooth picture, nothing random.
 */

export const groupNames = ['easy negatives', 'hard negatives', 'positives'] as const
export type GroupName = (typeof groupNames)[number]

export interface PopulationOptions {
  readonly easy: number
  readonly hard: number
  readonly positives: number
  /** The probability that the untrained network gives to every example: its last layer's bias. */
  readonly prior: number
  /** 0 is the untrained network, whose scores are all 0; 1 is the trained one. */
  readonly trained: number
}

/** Quantiles, and how many examples each of them stands for. */
export interface Group {
  readonly name: GroupName
  readonly positive: boolean
  readonly count: number
  readonly logits: Float64Array
}

/** Mean and deviation of the trained network's scores; the bias comes on top. */
export const scores: Readonly<Record<GroupName, { readonly mean: number; readonly deviation: number }>> = {
  'easy negatives': { mean: -1, deviation: 1 },
  'hard negatives': { mean: 4, deviation: 1.2 },
  positives: { mean: 5, deviation: 2 },
}

const QUANTILES = 400

export function populationOf({ easy, hard, positives, prior, trained }: PopulationOptions): Group[] {
  const bias = Math.log(prior / (1 - prior))
  const counts = [easy, hard, positives]
  return groupNames.map((name, i) => {
    const { mean, deviation } = scores[name]
    const logits = Float64Array.from({ length: counts[i] === 0 ? 0 : QUANTILES }, (_, q) => bias + trained * (mean + deviation * normalQuantile((q + 0.5) / QUANTILES)))
    return { name, positive: name === 'positives', count: counts[i], logits }
  })
}

/** The standard normal's quantile, by bisection of its distribution: exact enough to draw, and short. */
function normalQuantile(share: number): number {
  let [low, high] = [-8, 8]
  for (let i = 0; i < 40; i++) {
    const middle = (low + high) / 2
    if (normalShare(middle) < share) low = middle
    else high = middle
  }
  return (low + high) / 2
}

/** How much of the standard normal is below: Abramowitz and Stegun, Handbook of Mathematical Functions, 26.2.17, to 7.5e-8. */
function normalShare(x: number): number {
  const t = 1 / (1 + 0.2316419 * Math.abs(x))
  const density = Math.exp((-x * x) / 2) / Math.sqrt(2 * Math.PI)
  const tail = density * t * (0.31938153 + t * (-0.356563782 + t * (1.781477937 + t * (-1.821255978 + t * 1.330274429))))
  return x > 0 ? 1 - tail : tail
}
