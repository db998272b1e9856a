/** Metrics of scores, from groups of equal scores, with scikit-learn's definitions if it has them. */
import { adaptiveCalibrationErrorOf, calibrationErrorOf, reliabilityOf } from './calibration.js'
import type { Figures, PrecisionRecallPoint, RocPoint, ScalarFigures, Cut } from './evaluation.js'
import type { Groups } from './groups.js'
import type { EvaluatorSettings } from './options.js'
import { above, precisionOf, thresholdsOf } from './thresholds.js'

/** A point of a curve is left out while the curve has moved less than this since the last. */
const CURVE_STEP = 1 / 200

export function figuresOf(groups: Groups, settings: EvaluatorSettings): Figures {
  const [count, positives, negatives] = [groups.counts, groups.positives, groups.negatives].map((amounts) => sumOf(amounts, groups.length))
  const weight = positives + negatives
  const mean = (sum: number) => (weight > 0 ? sum / weight : null)
  const reliability = reliabilityOf(groups, settings.bins)
  const isBoth = positives > 0 && negatives > 0
  return {
    count,
    weight,
    rate: weight > 0 ? positives / weight : null,
    averagePrecision: positives > 0 ? averagePrecisionOf(groups, positives) : null,
    rocAuc: isBoth ? rocAucOf(groups, positives, negatives) : null,
    brier: mean(sumOfSquares(groups)),
    logLoss: mean(sumOfCosts(groups)),
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

function sumOf(amounts: Float64Array, length: number): number {
  let sum = 0
  for (let i = 0; i < length; i++) sum += amounts[i]
  return sum
}

function sumOfSquares({ length, p, positives, negatives }: Groups): number {
  let sum = 0
  for (let i = 0; i < length; i++) {
    const q = 1 - p[i]
    sum += positives[i] * q * q + negatives[i] * p[i] * p[i]
  }
  return sum
}

/** Nobody pays an infinite cost. */
function sumOfCosts({ length, costOfPositive, costOfNegative, positives, negatives }: Groups): number {
  let sum = 0
  for (let i = 0; i < length; i++) {
    if (positives[i] > 0) sum += positives[i] * costOfPositive[i]
    if (negatives[i] > 0) sum += negatives[i] * costOfNegative[i]
  }
  return sum
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
  // Without spreading, which takes longer than all else of a curve
  return thinned(groups, all, null).map(({ cut: { probability, logit }, x, y }) => ({ probability, logit, precision: x, recall: y }))
}

function rocOf(groups: Groups, positives: number, negatives: number): RocPoint[] {
  return thinned(groups, positives, negatives).map(({ cut: { probability, logit }, x, y }) => ({ probability, logit, falsePositiveRate: x, recall: y }))
}

interface Point {
  readonly cut: Cut
  readonly x: number
  readonly y: number
}

/**
 * The points of a curve that are not near the last one that was kept; the first, above every score, and the last always. Up it goes by the recall,
 * across by the precision or, with the negatives' weight, by the share of them that is found in error.
 */
function thinned(groups: Groups, allPositives: number, allNegatives: number | null): Point[] {
  const { length, positives, negatives } = groups
  const kept: Point[] = [{ cut: above, x: allNegatives === null ? precisionOf(0, 0) : 0, y: 0 }]
  let [found, wrong, lastX, lastY] = [0, 0, kept[0].x, kept[0].y]
  let [reachedX, reachedY, reached] = [lastX, lastY, -1]
  const keep = () => {
    if (reached < 0) return
    ;[lastX, lastY] = [reachedX, reachedY]
    kept.push({ cut: groups.cut(reached), x: reachedX, y: reachedY })
    reached = -1
  }
  for (let i = 0; i < length; i++) {
    found += positives[i]
    wrong += negatives[i]
    const x = allNegatives === null ? precisionOf(found, wrong) : wrong / allNegatives
    const y = found / allPositives
    // Before a long step, the point where it begins
    if (Math.abs(x - lastX) >= CURVE_STEP || Math.abs(y - lastY) >= CURVE_STEP) keep()
    reachedX = x
    reachedY = y
    reached = i
  }
  keep()
  return kept
}
