/** What can be trained on: points of the plane, drawn from known densities, and what each set is there to show. */

export const dataNames = ['few', 'rare', 'wrong'] as const
export type DataName = (typeof dataNames)[number]

/** A round normal cloud of points. */
export interface Cloud {
  /** Of the points of its class. */
  readonly share: number
  readonly x: number
  readonly y: number
  readonly deviation: number
}

export interface DataSet {
  readonly title: string
  /** What it teaches. */
  readonly lesson: string
  readonly positives: readonly Cloud[]
  readonly negatives: readonly Cloud[]
  /** How many points there are to train on. */
  readonly points: number
  /** The share of training labels that are wrong, of either class. Those of validation and test are right. */
  readonly wrong: number
  /** The settings that the lesson is seen with. */
  readonly opensWith: { readonly ratio: number; readonly gamma: number; readonly balanced: boolean; readonly rate: '0.01' | '0.03' }
}

export const dataSets: Readonly<Record<DataName, DataSet>> = {
  few: {
    title: 'Few examples',
    lesson:
      'Trained on 400 examples, a thousand times each, cross entropy becomes over-confident. Focal loss stays less confident, so its scores have the lower log loss. A temperature does the same for cross entropy; recalibrating with toProbability undoes it.',
    positives: [{ share: 1, x: 0.8, y: 0.2, deviation: 0.7 }],
    negatives: [
      { share: 0.6, x: -0.9, y: 0.6, deviation: 0.9 },
      { share: 0.4, x: 0.2, y: -1.2, deviation: 0.8 },
    ],
    points: 400,
    wrong: 0,
    opensWith: { ratio: 4, gamma: 2, balanced: false, rate: '0.03' },
  },
  rare: {
    title: 'Rare positives',
    lesson:
      'One positive in 31 examples, and enough data. At a score of 0.5 focal loss finds no positives, because its scores are lower. Recalibrated, or with a tuned threshold, the losses tie: only the threshold differed.',
    // Two small clusters in a wide cloud of negatives, some of which lie about the clusters
    positives: [
      { share: 0.5, x: 1.1, y: 0.9, deviation: 0.2 },
      { share: 0.5, x: -1.2, y: -0.5, deviation: 0.16 },
    ],
    negatives: [
      { share: 0.96, x: 0, y: 0, deviation: 1.5 },
      { share: 0.02, x: 1.1, y: 0.9, deviation: 0.6 },
      { share: 0.02, x: -1.2, y: -0.5, deviation: 0.6 },
    ],
    points: 6000,
    wrong: 0,
    opensWith: { ratio: 30, gamma: 2, balanced: true, rate: '0.01' },
  },
  wrong: {
    title: 'Wrong labels',
    lesson:
      'One training label in five is wrong, so even cross entropy is under-confident. Focal loss is more so: cross entropy wins in log loss and in calibration. In average precision they tie.',
    positives: [
      { share: 0.5, x: 1, y: 0.8, deviation: 0.8 },
      { share: 0.5, x: -1.1, y: -0.8, deviation: 0.8 },
    ],
    negatives: [
      { share: 0.5, x: -1, y: 0.9, deviation: 0.8 },
      { share: 0.5, x: 1, y: -0.9, deviation: 0.8 },
    ],
    points: 500,
    wrong: 0.2,
    opensWith: { ratio: 3, gamma: 2, balanced: false, rate: '0.01' },
  },
}
