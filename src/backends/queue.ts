/** A mutex: callers wait in order of arrival. */
import type { AbortSignalLike } from '../problem/call.js'

export class Queue {
  #taken = false
  readonly #waiting: (() => void)[] = []

  /** Resolves once the place is the caller's, until {@link leave}. Who is aborted while waiting goes at once: throws the reason. */
  async enter(signal: AbortSignalLike | undefined): Promise<void> {
    signal?.throwIfAborted()
    if (!this.#taken) {
      this.#taken = true
      return
    }
    const hasIt = await new Promise<boolean>((resolve) => {
      const take = () => {
        signal?.removeEventListener('abort', giveUp)
        resolve(true)
      }
      const giveUp = () => {
        this.#waiting.splice(this.#waiting.indexOf(take), 1)
        resolve(false)
      }
      this.#waiting.push(take)
      signal?.addEventListener('abort', giveUp, { once: true })
    })
    if (!hasIt) signal?.throwIfAborted()
  }

  leave(): void {
    const next = this.#waiting.shift()
    if (next === undefined) this.#taken = false
    else next()
  }
}
