import type { Random } from '../cell-detector/random.js'

export const CLASSES = 10
export const FEATURES = 16
/** Clusters of each class. */
const CLUSTERS = 2
/** The deviation of the clusters' centres; that of the points around them is 1. */
const SPREAD = 1.15

/** Points with the class each was drawn from. */
export interface Points {
  /** FEATURES numbers a point. */
  readonly features: Float32Array
  readonly labels: Int32Array
}

/** The centres of one draw: CLASSES x CLUSTERS x FEATURES numbers. Classes overlap, so nobody can be right always. */
export function drawCentres(random: Random): Float64Array {
  return Float64Array.from({ length: CLASSES * CLUSTERS * FEATURES }, () => SPREAD * random.normal())
}

/** `count` points, each class as likely. */
export function drawPoints(centres: Float64Array, count: number, random: Random): Points {
  return drawLabelled(centres, Int32Array.from({ length: count }, () => random.integer(CLASSES)), random)
}

/** One point for each label. */
export function drawLabelled(centres: Float64Array, labels: Int32Array, random: Random): Points {
  const features = new Float32Array(labels.length * FEATURES)
  for (let i = 0; i < labels.length; i++) {
    const cluster = labels[i] * CLUSTERS + random.integer(CLUSTERS)
    for (let f = 0; f < FEATURES; f++) features[i * FEATURES + f] = centres[cluster * FEATURES + f] + random.normal()
  }
  return { features, labels }
}

/** The same points, of which the share `wrong` has the label of another class, each as likely. */
export function mislabel({ features, labels }: Points, wrong: number, random: Random): Points {
  return {
    features,
    labels: labels.map((label) => (random.next() < wrong ? (label + 1 + random.integer(CLASSES - 1)) % CLASSES : label)),
  }
}

export function slicePoints({ features, labels }: Points, from: number, to: number): Points {
  return { features: features.subarray(from * FEATURES, to * FEATURES), labels: labels.subarray(from, to) }
}

/** The share of points that the true posterior puts into their class: what no classifier can beat but by luck. */
export function bestAccuracy(centres: Float64Array, { features, labels }: Points): number {
  let right = 0
  labels.forEach((label, i) => {
    const density = new Float64Array(CLASSES)
    for (let cluster = 0; cluster < CLASSES * CLUSTERS; cluster++) {
      let squares = 0
      for (let f = 0; f < FEATURES; f++) squares += (features[i * FEATURES + f] - centres[cluster * FEATURES + f]) ** 2
      density[Math.floor(cluster / CLUSTERS)] += Math.exp(-squares / 2)
    }
    if (density.indexOf(Math.max(...density)) === label) right++
  })
  return right / labels.length
}
