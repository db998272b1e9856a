/** What an asynchronous call must not overlook while others have their turn: its signal, and arrays that lose their memory. */
import type { NumericArray } from '../arrays.js'
import { wrongType } from '../errors.js'
import { lengthOf } from '../intrinsics.js'
import { arrayNames, arraysOf, type Problem } from '../problem.js'

export class Watch {
  readonly signal: AbortSignal | undefined
  readonly #arrays: readonly (NumericArray | null)[]
  readonly #lengths: readonly number[]

  constructor(problem: Problem, signal: AbortSignal | undefined) {
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
      const expected = `expected ${this.#lengths[i]} until the promise settles (was its buffer transferred or resized?)`
      throw new TypeError(`${arrayNames[i]} has length ${length}; ${expected}`)
    }
  }
}

function lengthOrNone(array: NumericArray | null): number {
  return array === null ? 0 : lengthOf(array)
}

/** `call.signal`: any object that does what an AbortSignal does, also one of another realm. */
export function checkSignal(signal: unknown): AbortSignal | undefined {
  if (signal === undefined) return undefined
  const { aborted, throwIfAborted, addEventListener } = Object(signal) as Record<string, unknown>
  const isSignal = typeof aborted === 'boolean' && typeof throwIfAborted === 'function' && typeof addEventListener === 'function'
  if (!isSignal) throw wrongType('signal', signal, 'an AbortSignal')
  return signal as AbortSignal
}
