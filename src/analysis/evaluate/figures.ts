/** Figures of scores, from groups of equal ones. scikit-learn's definitions where it has them. */
import { adaptiveCalibrationErrorOf, calibrationErrorOf, reliabilityOf } from './calibration.js'
import type { Figures, PrecisionRecallPoint, RocPoint, ScalarFigures, Cut } from './evaluation.js'
import type { Groups } from './groups.js'
import type { EvaluatorSettings } from './options.js'
import { above, precisionOf, thresholdsOf } from './thresholds.js'

/** A point of a curve is left out while the curve has moved less than this since the last. */
const CURVE_STEP = 1 / 200

export function figuresOf(groups: Groups, settings: EvaluatorSettings): Figures {
  const sumOf = (of: (group: number) => number) => {
    let sum = 0
    for (let i = 0; i < groups.length; i++) sum += of(i)
    return sum
  }
  const { p, costOfPositive, costOfNegative } = groups
  const [positives, negatives] = [sumOf((i) => groups.positives[i]), sumOf((i) => groups.negatives[i])]
  const weight = positives + negatives
  const mean = (of: (group: number) => number) => (weight > 0 ? sumOf(of) / weight : null)
  const reliability = reliabilityOf(groups, settings.bins)
  const isBoth = positives > 0 && negatives > 0
  return {
    count: sumOf((i) => groups.counts[i]),
    weight,
    rate: weight > 0 ? positives / weight : null,
    averagePrecision: positives > 0 ? averagePrecisionOf(groups, positives) : null,
    rocAuc: isBoth ? rocAucOf(groups, positives, negatives) : null,
    brier: mean((i) => groups.positives[i] * (1 - p[i]) ** 2 + groups.negatives[i] * p[i] ** 2),
    logLoss: mean((i) => product(groups.positives[i], costOfPositive[i]) + product(groups.negatives[i], costOfNegative[i])),
    calibrationError: calibrationErrorOf(reliability.map(({ sums }) => sums)),
    adaptiveCalibrationError: adaptiveCalibrationErrorOf(groups, settings.bins),
    reliability: reliability.map(({ bin }) => bin),
    precisionRecall: positives > 0 ? precisionRecallOf(groups, positives) : [],
    roc: isBoth ? rocOf(groups, positives, negatives) : [],
    thresholds: positives > 0 ? thresholdsOf(groups, positives, settings.thresholds) : null,
  }
}

/** The mean of each figure over the classes that have it. */
export function macroOf(classes: readonly ScalarFigures[]): ScalarFigures {
  const mean = (of: (figures: ScalarFigures) => number | null) => {
    const defined = classes.map(of).filter((each) => each !== null)
    return defined.length > 0 ? defined.reduce((a, b) => a + b, 0) / defined.length : null
  }
  return {
    averagePrecision: mean((each) => each.averagePrecision),
    rocAuc: mean((each) => each.rocAuc),
    brier: mean((each) => each.brier),
    logLoss: mean((each) => each.logLoss),
    calibrationError: mean((each) => each.calibrationError),
    adaptiveCalibrationError: mean((each) => each.adaptiveCalibrationError),
  }
}

/** Nobody pays an infinite cost. */
function product(weight: number, cost: number): number {
  return weight === 0 ? 0 : weight * cost
}

function averagePrecisionOf({ length, positives, negatives }: Groups, all: number): number {
  let [found, wrong, area] = [0, 0, 0]
  for (let i = 0; i < length; i++) {
    found += positives[i]
    wrong += negatives[i]
    area += (positives[i] / all) * precisionOf(found, wrong)
  }
  return area
}

/** Each positive is above the negatives below it, and half above those beside it. */
function rocAucOf({ length, positives, negatives }: Groups, allPositives: number, allNegatives: number): number {
  let [passed, area] = [0, 0]
  for (let i = 0; i < length; i++) {
    area += positives[i] * (allNegatives - passed - negatives[i] / 2)
    passed += negatives[i]
  }
  return area / allPositives / allNegatives
}

function precisionRecallOf(groups: Groups, all: number): PrecisionRecallPoint[] {
  const kept = thinned(groups, precisionOf, (found) => found / all)
  return kept.map(({ cut, x, y }) => ({ ...cut, precision: x, recall: y }))
}

function rocOf(groups: Groups, positives: number, negatives: number): RocPoint[] {
  const kept = thinned(groups, (_, wrong) => wrong / negatives, (found) => found / positives)
  return kept.map(({ cut, x, y }) => ({ ...cut, falsePositiveRate: x, recall: y }))
}

type OfDecision = (found: number, wrong: number) => number

/** The points of a curve that are not near the last one that was kept; the first, above every score, and the last always. */
function thinned(groups: Groups, xOf: OfDecision, yOf: OfDecision): { readonly cut: Cut; readonly x: number; readonly y: number }[] {
  const kept = [{ cut: above, x: xOf(0, 0), y: yOf(0, 0) }]
  let [found, wrong, last] = [0, 0, kept[0]]
  let [reachedX, reachedY, reached] = [last.x, last.y, -1]
  const keep = () => {
    if (reached < 0) return
    last = { cut: groups.cut(reached), x: reachedX, y: reachedY }
    kept.push(last)
    reached = -1
  }
  for (let i = 0; i < groups.length; i++) {
    found += groups.positives[i]
    wrong += groups.negatives[i]
    const [x, y] = [xOf(found, wrong), yOf(found, wrong)]
    // Before a long step, the point where it begins
    if (Math.abs(x - last.x) >= CURVE_STEP || Math.abs(y - last.y) >= CURVE_STEP) keep()
    reachedX = x
    reachedY = y
    reached = i
  }
  keep()
  return kept
}
