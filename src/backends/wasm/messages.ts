/** The messages to the workers of the WebAssembly backend, and the shared counters of their progress. */
import type { SharedBytes } from './region.js'

/** They answer each, with the text of an error where there was one. */
export type Message =
  | { readonly kind: 'join'; readonly module: WebAssembly.Module; readonly memory: WebAssembly.Memory }
  | {
      /** Do a run's parts and blocks together, and the copies of arrays that threads share. */
      readonly kind: 'work'
      readonly run: number
      readonly result: number
      /** The address of what workers tell each other: {@link slots}. */
      readonly control: number
      readonly worker: number
      readonly workers: number
      /** The address above the worker's own stack. */
      readonly stack: number
      readonly inputs: readonly SharedBytes[]
      readonly outputs: readonly SharedBytes[]
    }

/** The integers at `control`; of the last three kinds, one for each of the four stages of a call. */
export const slots = { stopped: 0, status: 1, taken: 4, arrived: 8, open: 12 } as const
