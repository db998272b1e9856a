/** The problems that are timed: which loss on which targets, and the arrays, the same on every machine. */
import {
  AsymmetricLoss,
  AsymmetricSoftmaxLoss,
  type BackendName,
  type FocalLossBase,
  FocalStarLoss,
  HeatmapFocalLoss,
  type Logits,
  QualityFocalLoss,
  SigmoidFocalLoss,
  SoftmaxFocalLoss,
  VarifocalLoss,
} from 'focal-loss'

export const dtypes = ['float32', 'float64'] as const
export type Dtype = (typeof dtypes)[number]

export interface BenchCase {
  readonly name: string
  readonly title: string
  /** A row's logits; sizes that are no multiple of it have no such problem. */
  readonly classes: number
  readonly targets: 'class-index' | 'hard' | 'soft'
  make(backend: BackendName | 'auto'): FocalLossBase<'sum'>
}

const BACKGROUND = -1
const sigmoid = { gamma: 2, alpha: 0.25, background: BACKGROUND, reduction: 'sum' } as const
/** None of the powers that have a form of their own in the kernel. */
const GENERAL_GAMMA = 2.3

export const cases: readonly BenchCase[] = [
  {
    name: 'sigmoid',
    title: 'sigmoid, class index, gamma 2, alpha 0.25',
    classes: 80,
    targets: 'class-index',
    make: (backend) => new SigmoidFocalLoss({ ...sigmoid, backend }),
  },
  {
    name: 'sigmoid-gamma',
    title: `sigmoid, class index, gamma ${GENERAL_GAMMA}, alpha 0.25`,
    classes: 80,
    targets: 'class-index',
    make: (backend) => new SigmoidFocalLoss({ ...sigmoid, gamma: GENERAL_GAMMA, backend }),
  },
  {
    name: 'dense-hard',
    title: 'sigmoid, a label of 0 or 1 per logit, gamma 2, alpha 0.25',
    classes: 80,
    targets: 'hard',
    make: (backend) => new SigmoidFocalLoss({ ...sigmoid, backend }),
  },
  {
    name: 'dense-soft',
    title: 'sigmoid, a label between 0 and 1 per logit, gamma 2, alpha 0.25',
    classes: 80,
    targets: 'soft',
    make: (backend) => new SigmoidFocalLoss({ ...sigmoid, backend }),
  },
  ...[80, 1000].map(
    (classes): BenchCase => ({
      name: `softmax-${classes}`,
      title: `softmax over ${classes} classes, class index, gamma 2`,
      classes,
      targets: 'class-index',
      make: (backend) => new SoftmaxFocalLoss({ gamma: 2, background: BACKGROUND, reduction: 'sum', backend }),
    }),
  ),
  {
    name: 'star',
    title: 'focal star, a label of 0 or 1 per logit, gamma 2, beta 1',
    classes: 80,
    targets: 'hard',
    make: (backend) => new FocalStarLoss({ reduction: 'sum', backend }),
  },
  {
    name: 'quality',
    title: 'quality focal, a label between 0 and 1 per logit, beta 2',
    classes: 80,
    targets: 'soft',
    make: (backend) => new QualityFocalLoss({ reduction: 'sum', backend }),
  },
  {
    name: 'varifocal',
    title: 'varifocal, a label between 0 and 1 per logit, alpha 0.75, gamma 2',
    classes: 80,
    targets: 'soft',
    make: (backend) => new VarifocalLoss({ reduction: 'sum', backend }),
  },
  {
    name: 'heatmap',
    title: 'heatmap focal, a label between 0 and 1 per logit, gamma 2, beta 4',
    classes: 80,
    targets: 'soft',
    make: (backend) => new HeatmapFocalLoss({ reduction: 'sum', backend }),
  },
  {
    name: 'asymmetric',
    title: 'asymmetric, a label of 0 or 1 per logit, gammas 1 and 4, margin 0.05',
    classes: 80,
    targets: 'hard',
    make: (backend) => new AsymmetricLoss({ reduction: 'sum', backend }),
  },
  {
    name: 'softmax-asymmetric',
    title: 'asymmetric over a softmax of 80 classes, class index, gammas 0 and 4, label smoothing 0.1',
    classes: 80,
    targets: 'class-index',
    make: (backend) => new AsymmetricSoftmaxLoss({ background: BACKGROUND, reduction: 'sum', backend }),
  },
]

export interface BenchProblem {
  readonly case: BenchCase
  readonly dtype: Dtype
  readonly elements: number
  readonly logits: Logits
  readonly targets: Int32Array | Logits
  /** What a call has to move at least: logits and targets in, gradient out. */
  readonly bytes: number
}

/** One row in 50 shows an object, as the anchors of a detector do; a softmax is given a class in every row. */
const FOREGROUND = 1 / 50

/** Class indices need whole rows; dense targets take any size. */
export function hasSize({ classes, targets }: BenchCase, elements: number): boolean {
  return targets !== 'class-index' || elements % classes === 0
}

export function makeProblem(benchCase: BenchCase, dtype: Dtype, elements: number): BenchProblem {
  const random = mulberry32(1)
  const rows = Math.ceil(elements / benchCase.classes)
  // The classes are drawn before the logits: class indices and labels of 0 and 1 are the same problem in two forms
  const foreground = benchCase.name.startsWith('softmax') ? 1 : FOREGROUND
  const classes = Int32Array.from({ length: rows }, () =>
    random() < foreground ? Math.floor(random() * benchCase.classes) : BACKGROUND,
  )
  const FloatArray = dtype === 'float32' ? Float32Array : Float64Array
  const logits = new FloatArray(elements)
  fillNormal(logits, random)
  const targets = benchCase.targets === 'class-index' ? classes : new FloatArray(elements)
  if (benchCase.targets === 'hard') setLabels(targets, classes, benchCase.classes)
  if (benchCase.targets === 'soft') for (let i = 0; i < elements; i++) targets[i] = random()
  const bytes = 2 * logits.byteLength + targets.byteLength
  return { case: benchCase, dtype, elements, logits, targets, bytes }
}

function setLabels(labels: { [index: number]: number; length: number }, rows: Int32Array, classes: number): void {
  rows.forEach((index, row) => {
    const at = row * classes + index
    if (index !== BACKGROUND && at < labels.length) labels[at] = 1
  })
}

/** Normal logits with mean -1 and deviation 3: easy and hard ones, as in training (Box and Muller). */
export function fillNormal(logits: Logits, random: () => number): void {
  for (let i = 0; i < logits.length; i += 2) {
    const radius = 3 * Math.sqrt(-2 * Math.log(1 - random()))
    const angle = 2 * Math.PI * random()
    logits[i] = radius * Math.cos(angle) - 1
    // Beyond the end of an odd length nothing is written
    logits[i + 1] = radius * Math.sin(angle) - 1
  }
}

/** Tommy Ettinger's generator: small, and the same numbers everywhere. */
export function mulberry32(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
}
