/** What a thread of the soak is like, how it ends, and what it counts. */

/** What its calls gave: a right result, or an error that was to come. The last one must stay 0. */
export const counters = ['right', 'aborted', 'refused', 'withoutMemory', 'wrong'] as const
export type Counter = (typeof counters)[number]

export interface Life {
  /** `terminate`: from outside, at any time; `exit`: by itself, in the middle of calls; `heap`: it fills its heap, which is small; `return`: it comes to its end. */
  readonly end: 'terminate' | 'exit' | 'heap' | 'return'
  /** Milliseconds that it has. */
  readonly time: number
  /** How likely it is to begin a call by starting or ending workers of the wasm backend. */
  readonly pool: number
  /** The most pages of 64 kB that a memory of WebAssembly gets in it, where that is limited. */
  readonly wasmPages?: number
}

export function anyLife(): Life {
  const dice = Math.random()
  const end = dice < 0.6 ? 'terminate' : dice < 0.75 ? 'exit' : dice < 0.85 ? 'heap' : 'return'
  return { end, time: 5000 * Math.random() ** 2, pool: Math.random() < 0.3 ? 0.05 : 0, ...(Math.random() < 0.2 && { wasmPages: 256 }) }
}
