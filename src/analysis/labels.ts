/** The labels of a problem, read once into one byte each, so that loops over examples are plain ones. */
import { isIgnored, isValid, targetOf } from '../problem/positions.js'
import type { Problem } from '../problem/problem.js'

/** What a byte says. */
export const [NEGATIVE, POSITIVE, LEFT_OUT] = [0, 1, 2]

/** The labels of one problem after another, in memory that is used again. */
export class Labels {
  bytes = new Uint8Array(0)

  /** As {@link readLabels}. */
  read(problem: Problem): boolean {
    if (this.bytes.length < problem.logits.length) this.bytes = new Uint8Array(problem.logits.length)
    return readLabels(problem, this.bytes)
  }
}

/**
 * Writes what every element is to `to`: {@link NEGATIVE}, {@link POSITIVE}, or {@link LEFT_OUT} where it is not valid. Returns whether all
 * that are not left out are exactly 0 or 1, or the index of a class.
 */
function readLabels(problem: Problem, to: Uint8Array): boolean {
  const { loss, mask } = problem
  const isWhole = mask === null && loss.ignoreIndex === null
  const isHard = problem.targetsKind === 'class-index' ? readIndices(problem, to) : isWhole ? readAll(problem, to) : readEach(problem, to)
  if (problem.targetsKind === 'class-index' && !isWhole) leaveOut(problem, to)
  return isHard
}

/** A positive in each row that has a class; whether the others are background, or ignored. */
function readIndices({ loss, targets, background, outer, classes, inner }: Problem, to: Uint8Array): boolean {
  to.fill(NEGATIVE, 0, outer * classes * inner)
  let isHard = true
  for (let o = 0, r = 0; o < outer; o++) {
    for (let i = 0; i < inner; i++, r++) {
      const c = targets[r]
      if (c >= 0 && c < classes && c === Math.floor(c)) {
        if (c !== background) to[(o * classes + c) * inner + i] = POSITIVE
      } else if (c !== background && !isIgnored(loss, c)) isHard = false
    }
  }
  return isHard
}

function readAll({ targets, positiveFrom }: Problem, to: Uint8Array): boolean {
  // Hard labels are what they say
  const isHard = readHard(targets, to) === 0
  if (isHard && positiveFrom > 0 && positiveFrom <= 1) return true
  for (let k = 0; k < targets.length; k++) to[k] = targets[k] >= positiveFrom ? POSITIVE : NEGATIVE
  return isHard
}

/** Returns 0 where all labels are 0 or 1. Alone: V8 leaves code that it has optimised within a loop again and again where the function goes on behind it. */
function readHard(targets: Problem['targets'], to: Uint8Array): number {
  let soft = 0
  for (let k = 0; k < targets.length; k++) {
    const y = targets[k]
    to[k] = y
    // What is above 1 or below 0 must not make up for what is between
    soft += Math.abs(y * (1 - y))
  }
  return soft
}

function readEach(problem: Problem, to: Uint8Array): boolean {
  const { targets, positiveFrom } = problem
  let isHard = true
  eachElement(problem, (r, k, c) => {
    const y = targets[k]
    to[k] = !isValid(problem, r, k) ? LEFT_OUT : targetOf(problem, r, k, c) >= positiveFrom ? POSITIVE : NEGATIVE
    if (to[k] !== LEFT_OUT && y !== 0 && y !== 1) isHard = false
  })
  return isHard
}

function leaveOut(problem: Problem, to: Uint8Array): void {
  eachElement(problem, (r, k) => {
    if (!isValid(problem, r, k)) to[k] = LEFT_OUT
  })
}

/** In the order of memory. */
function eachElement({ outer, classes, inner }: Problem, see: (r: number, k: number, c: number) => void): void {
  for (let o = 0, k = 0; o < outer; o++) {
    for (let c = 0; c < classes; c++) {
      for (let r = o * inner; r < (o + 1) * inner; r++, k++) see(r, k, c)
    }
  }
}
