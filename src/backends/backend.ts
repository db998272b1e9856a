/** The interface of a backend: a name, a description, and a function from a problem to its sums. */
import type { Formula } from '../formulas/formula.js'
import type { BackendName } from '../problem/options.js'
import type { AnyProblem, Problem, Sums } from '../problem/problem.js'
import type { Watch } from './watch.js'
import type { GpuDevice } from './webgpu/interface.js'

/** The type of logits. */
export type Dtype = 'float32' | 'float64'

/** One entry of {@link calibrations}: the choice of 'auto' for one loss and one type of logits. */
export interface Calibration {
  /** The loss's short name, such as 'sigmoid' or 'focal-star'. */
  readonly loss: string
  /** The type of the logits. */
  readonly dtype: Dtype
  /**
   * Calls of at least `from` logits run on this backend; smaller ones on js, or where this is cuda, on the one that
   * {@link getBackend} names.
   */
  readonly backend: BackendName
  /** From 1, which is always, to 128; for cuda from 262,144 on, or Infinity, which is never. */
  readonly from: number
  /** How long it took to find that out. */
  readonly milliseconds: number
}

export interface Backend {
  readonly name: BackendName
  /** What serves the calls here: instruction set, threads. */
  readonly description: string
  /**
   * Computes the problem, fills its output arrays and returns the unreduced sums. The gradient comes out divided by
   * the problem's divisor already. Bad target values are a RangeError, and so are outputs in the memory of other arrays
   * (`checkOverlaps`), thrown before anything is written.
   */
  run(problem: Problem): Sums
  /**
   * As {@link run}, with the same bits, while the event loop keeps turning. Rejects with what `watch.check()` throws, soon
   * after it does; outputs may then have been written in part. Once the promise settles, nothing is written any more.
   */
  runAsync(problem: Problem, watch: Watch): Promise<Sums>
  /** The rows whose losses fill whole blocks of the sum: see {@link Accumulator.blockRows}. */
  blockRows(formula: Formula, classes: number): number
}

/** A backend that also takes arrays in a device's memory. */
export interface DeviceBackend extends Backend {
  run(problem: AnyProblem): Sums
  runAsync(problem: AnyProblem, watch: Watch): Promise<Sums>
  /** Gets a device ready, by its number, and makes it the one that calls on the host's arrays run on. The first use does the former otherwise. */
  open(device: unknown): Promise<void>
  /** Whether a call on the host's arrays costs less here than on `fast`, copies included. Measures that first. */
  pays(fast: Backend, problem: Problem): boolean
  /** What has been measured. */
  readonly calibrations: readonly Calibration[]
}

/** How to get a backend: at once, or where that is refused (large modules on a browser's main thread) with a wait. */
export interface BackendLoader {
  /** Throws a {@link BackendError} that says why the backend cannot run here and what to do. */
  load(): Backend
  /** @param device one of the caller's, that the backend is to run on. */
  loadAsync?(device?: GpuDevice): Promise<Backend>
  /** Whether what `load` gives may be lost, so that it is asked each time. */
  readonly mayBeLost?: true
}
