/** The target scan on the host, for backends without their own: checks and counts targets before anything is written. */
import { isFarOutside, toleranceOf } from '../formulas/number_range.js'
import { classesLeft, firstOf, isMasked, isValid } from '../problem/positions.js'
import { badClass, badProbability, badRow, badTarget, isBadSum, type Problem, type Sums } from '../problem/problem.js'
import { BLOCK, gather, locationOf } from './element_blocks.js'
import { rowPieces } from './turns.js'

/** The sums of a problem but for the losses. Throws what is wrong with it. */
export function scan(problem: Problem): Sums {
  return finishScan(problem, scanTargets(problem, 0, problem.outer * problem.inner, emptyScan()))
}

/** The same, some rows at a time. */
export function* scanSteps(problem: Problem): Generator<void, Sums> {
  const found = emptyScan()
  for (const [begin, end] of rowPieces(problem)) {
    scanTargets(problem, begin, end, found)
    yield
  }
  return finishScan(problem, found)
}

/** What was found in the rows looked at so far. */
interface TargetScan {
  elements: number
  rows: number
  positives: number
  /** The first label that is none, the first probability, and the first row of probabilities; Infinity where all are. */
  badLabel: number
  badProbability: number
  badRow: number
}

function emptyScan(): TargetScan {
  return { elements: 0, rows: 0, positives: 0, badLabel: Infinity, badProbability: Infinity, badRow: Infinity }
}

/** Adds the valid elements of rows `begin` to `end - 1`, and checks them. */
function scanTargets(problem: Problem, begin: number, end: number, scan: TargetScan): TargetScan {
  const { loss, logits, targets, targetsDtype, targetsKind, classes, inner, background } = problem
  const areProbabilities = loss.inputs === 'probabilities'
  const { perRow } = loss.formula
  const tolerance = toleranceOf(targetsDtype)
  const probabilityTolerance = toleranceOf(problem.dtype)
  if (!perRow && isDirect(problem)) {
    if (targetsKind === 'labels') scanLabels(problem, begin, end, scan)
    else scanIndices(problem, begin, end, scan)
    scan.elements += (end - begin) * classes
    scan.rows += end - begin
    return scan
  }
  let { elements, rows, positives, badLabel, badProbability, badRow } = scan
  for (let r = begin; r < end; r++) {
    const first = firstOf(problem, r)
    const target = targetsKind === 'class-index' ? targets[r] : NaN
    let valid = 0
    // A class that a softmax's row does not have, and a label says it has
    let contradicted = Infinity
    for (let c = 0; c < classes; c++) {
      const k = first + c * inner
      if (!isValid(problem, r, k)) {
        if (perRow && isMasked(problem, r, k) && (targetsKind === 'labels' ? targets[k] > 0 : c === target)) contradicted = Math.min(contradicted, k)
        // Of a softmax's labels all of a row are NaN, or none
        if (perRow && targetsKind === 'labels' && Number.isNaN(targets[k]) && !isMasked(problem, r, k) && classesLeft(problem, r) > 0) badLabel = Math.min(badLabel, k)
        continue
      }
      valid++
      // NaN is no number at all, and comes through
      if (areProbabilities && isFarOutside(logits[k], probabilityTolerance)) badProbability = Math.min(badProbability, k)
      if (targetsKind === 'class-index') {
        if (c === target && target !== background) positives++
        continue
      }
      const y = targets[k]
      if (Number.isNaN(y) || isFarOutside(y, tolerance)) badLabel = Math.min(badLabel, k)
      if (y >= problem.positiveFrom) positives++
    }
    elements += valid
    if (valid === 0) continue
    rows++
    if (targetsKind === 'labels') badLabel = Math.min(badLabel, contradicted)
    if (areProbabilities && perRow && r < badRow && isBadSum(loss.renormalize, sumOf(problem, r), problem.dtype)) badRow = r
    const known = (target >= 0 && target < classes && contradicted === Infinity) || target === background
    if (targetsKind === 'class-index' && !known) throw badClass(problem, r, target)
  }
  scan.elements = elements
  scan.rows = rows
  scan.positives = positives
  scan.badLabel = badLabel
  scan.badProbability = badProbability
  scan.badRow = badRow
  return scan
}

/** Between scanning and computing: the sums but for the losses of this problem. Throws what is wrong with it. */
function finishScan(problem: Problem, { elements, rows, positives, badLabel, badProbability: bad, badRow: row }: TargetScan): Sums {
  const { loss, logits, targets, sumBefore } = problem
  if (badLabel < Infinity) throw badTarget(problem, badLabel, targets[badLabel])
  if (bad < Infinity) throw badProbability(bad, logits[bad])
  if (row < Infinity) throw badRow(row, sumOf(problem, row), problem.dtype, loss.renormalize)
  return { sum: sumBefore, elements, rows, positives }
}

/** Of a row of logits, or of probabilities. */
function sumOf(problem: Problem, r: number): number {
  const { logits, classes, inner } = problem
  const first = firstOf(problem, r)
  let sum = 0
  for (let c = 0; c < classes; c++) if (!isMasked(problem, r, first + c * inner)) sum += logits[first + c * inner]
  return sum
}

/** Whether all elements are valid, and weigh what their targets say. */
export function isDirect({ loss, mask, weights }: Problem): boolean {
  return loss.inputs === 'logits' && loss.labelSmoothing === 0 && loss.ignoreIndex === null && loss.classPositive === null && mask === null && weights === null
}

function scanIndices(problem: Problem, begin: number, end: number, scan: TargetScan): void {
  const { targets, classes, background } = problem
  for (let r = begin; r < end; r++) {
    const target = targets[r]
    if (target === background) continue
    if (!(target >= 0 && target < classes)) throw badClass(problem, r, target)
    scan.positives++
  }
}

const labels = new Float64Array(BLOCK)

function scanLabels(problem: Problem, begin: number, end: number, scan: TargetScan): void {
  const { targets, classes } = problem
  const tolerance = toleranceOf(problem.targetsDtype)
  for (let from = begin * classes; from < end * classes; from += BLOCK) {
    const count = Math.min(BLOCK, end * classes - from)
    gather(problem, targets, labels, from, from + count)
    scan.positives += countPositives(count, problem.positiveFrom)
    const bad = firstBad(count, tolerance)
    if (bad < count) scan.badLabel = Math.min(scan.badLabel, locationOf(problem, from + bad))
  }
}

function countPositives(count: number, positiveFrom: number): number {
  let positives = 0
  for (let i = 0; i < count; i++) if (labels[i] >= positiveFrom) positives++
  return positives
}

/** The first that is no label; `count` if all are. */
function firstBad(count: number, tolerance: number): number {
  let i = 0
  while (i < count && !(Number.isNaN(labels[i]) || isFarOutside(labels[i], tolerance))) i++
  return i
}
