/** The memory of an instance: as much as the engine lets it grow to. */
import { BackendError, reasonOf } from '../../errors.js'

/** The most pages of 64 kB that a memory may grow to: 4 GB, as wasm/build.sh has it, and what is asked for where an engine refuses that. */
const sizes = [65_536, 32_768, 16_384, 8192] as const

export interface GrowingMemory {
  readonly memory: WebAssembly.Memory
  /** ` in at most 1 GB of memory` where it is less than 4 GB, else empty. */
  readonly limit: string
}

/**
 * A new memory. One that is shared takes its address space at once, of which phones have less: the first of 4, 2, 1 and 0.5 GB that is
 * granted. Throws a {@link BackendError} where none is.
 */
export function newMemory(shared: boolean): GrowingMemory {
  const kind = shared ? 'shared memory' : 'memory'
  let refusal: unknown
  for (const maximum of sizes) {
    try {
      const memory = new WebAssembly.Memory({ initial: 16, maximum, shared })
      return { memory, limit: maximum === sizes[0] ? '' : ` in at most ${maximum / 16_384} GB of ${kind}` }
    } catch (error) {
      refusal = error
    }
  }
  throw new BackendError(
    `WebAssembly gets no ${kind} here, not even 0.5 GB (${reasonOf(refusal)}); ` +
      (shared ? 'do without workers, or close other pages.' : 'use the js backend, or close other pages.'),
  )
}
