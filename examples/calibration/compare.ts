import { evaluate, fitTemperature, type ReliabilityBin, SoftmaxFocalLoss, type SoftmaxFocalOptions } from 'focal-loss'
import { Random } from '../cell-detector/random.js'
import { bestAccuracy, CLASSES, drawCentres, drawPoints, mislabel, slicePoints, type Points } from './data.js'
import { logitsOf, RATE, train } from './train.js'

const POINTS = { train: 800, heldOut: 1000, test: 2000 }
/** Of the training points, where the others are kept to fit a temperature on. */
const SHARE_WITH_TEMPERATURE = 0.8
const GAMMAS = [0, 1, 2, 3, 5]

/** How the same points are trained on. */
export interface Setting {
  readonly name: string
  readonly epochs: number
  /** The share of training labels that are another class's. */
  readonly wrong: number
}

export const SETTINGS: readonly Setting[] = [
  { name: 'over-trained', epochs: 100, wrong: 0 },
  { name: 'stopped early', epochs: 4, wrong: 0 },
  { name: 'over-trained on labels of which 20 % are wrong', epochs: 100, wrong: 0.2 },
]

export interface Variant {
  readonly name: string
  readonly loss: SoftmaxFocalOptions
  /** Whether a part of the training points is kept to fit a temperature on. */
  readonly tempered: boolean
}

export const VARIANTS: readonly Variant[] = [
  ...GAMMAS.map((gamma) => ({ name: gamma === 0 ? 'cross entropy' : `focal, gamma ${gamma}`, loss: { gamma }, tempered: false })),
  { name: 'label smoothing 0.01', loss: { gamma: 0, labelSmoothing: 0.01 }, tempered: false },
  { name: 'cross entropy on 640, temperature on 160', loss: { gamma: 0 }, tempered: true },
]

/** How the probabilities of one network do on test points, whose labels are right. */
export interface Score {
  readonly name: string
  readonly accuracy: number
  readonly logLoss: number
  readonly calibrationError: number
  /** Whether the loss focuses (gamma above 0). */
  readonly focal: boolean
  /** The calibration error of what `toProbability` gives. */
  readonly recalibrated: number
  /** What logits would have to be divided by, on other points with right labels: above 1 the network is too sure. */
  readonly temperature: number
  readonly reliability: readonly ReliabilityBin[]
}

export interface Comparison {
  readonly setting: Setting
  readonly best: number
  readonly scores: readonly Score[]
}

/** Draws points, and trains each variant on them in each setting. */
export function* compare(seed: number, settings = SETTINGS, variants = VARIANTS): Generator<Comparison> {
  const random = new Random(seed)
  const centres = drawCentres(random)
  const [clean, heldOut, test] = Object.values(POINTS).map((count) => drawPoints(centres, count, random))
  for (const setting of settings) {
    const points = mislabel(clean, setting.wrong, new Random(seed + 1000))
    const scores = variants.map((variant) => scoreOf(variant, setting, points, { heldOut, test }, seed))
    yield { setting, best: bestAccuracy(centres, test), scores }
  }
}

function scoreOf({ name, loss: options, tempered }: Variant, { epochs }: Setting, points: Points, { heldOut, test }: { heldOut: Points; test: Points }, seed: number): Score {
  const loss = new SoftmaxFocalLoss({ ...options })
  const count = points.labels.length
  const cut = tempered ? SHARE_WITH_TEMPERATURE * count : count
  const network = train(slicePoints(points, 0, cut), loss, { epochs, rate: RATE, seed })
  const temperatureOn = (other: Points) => fitTemperature(logitsOf(network, other), other.labels, { loss, shape: [other.labels.length, CLASSES] })
  const fitted = tempered ? temperatureOn(slicePoints(points, cut, count)) : undefined
  const found = evaluate(logitsOf(network, test), test.labels, { loss, shape: [test.labels.length, CLASSES], temperature: fitted })
  const scores = found.tempered ?? found.raw
  return {
    name,
    accuracy: known(scores.rate),
    logLoss: known(scores.logLoss),
    calibrationError: known(scores.calibrationError),
    focal: options.gamma !== 0,
    recalibrated: known(found.recalibrated.calibrationError),
    temperature: temperatureOn(heldOut).temperature as number,
    reliability: scores.reliability,
  }
}

function known(figure: number | null): number {
  if (figure === null) throw new RangeError('there is nothing to judge by')
  return figure
}
