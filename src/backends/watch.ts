/** Watches an asynchronous call between blocks: its signal, and arrays that are detached. */
import { lengthOf } from '../arrays/intrinsics.js'
import { type AnyArray, onHost } from '../arrays/logits.js'
import { wrongType } from '../errors.js'
import type { AbortSignalLike } from '../problem/call.js'
import { type AnyProblem, arrayNames, arraysOf } from '../problem/problem.js'

export class Watch {
  readonly signal: AbortSignalLike | undefined
  readonly #arrays: readonly (AnyArray | null)[]
  readonly #lengths: readonly number[]

  constructor(problem: AnyProblem, signal: AbortSignalLike | undefined) {
    this.signal = signal
    this.#arrays = arraysOf(problem)
    this.#lengths = this.#arrays.map(lengthOrNone)
  }

  /** Throws the signal's reason where it is aborted, and a TypeError where an array is no longer as long as it was. */
  check(): void {
    this.signal?.throwIfAborted()
    for (const [i, array] of this.#arrays.entries()) {
      const length = lengthOrNone(array)
      if (length === this.#lengths[i]) continue
      const expected = `expected ${this.#lengths[i]} until the promise settles (${lostBy(array)}?)`
      throw new TypeError(`${arrayNames[i]} has length ${length}; ${expected}`)
    }
  }
}

function lostBy(array: AnyArray | null): string {
  return array === null || onHost(array) ? 'was its buffer transferred or resized' : 'was it disposed'
}

function lengthOrNone(array: AnyArray | null): number {
  if (array === null) return 0
  return onHost(array) ? lengthOf(array) : array.disposed ? 0 : array.length
}

/** `call.signal`: any object that does what an AbortSignal does, also one of another realm. */
export function checkSignal(signal: unknown): AbortSignalLike | undefined {
  if (signal === undefined) return undefined
  const { aborted, throwIfAborted, addEventListener } = Object(signal) as Record<string, unknown>
  const isSignal = typeof aborted === 'boolean' && typeof throwIfAborted === 'function' && typeof addEventListener === 'function'
  if (!isSignal) throw wrongType('signal', signal, 'an AbortSignal')
  return signal as AbortSignalLike
}
