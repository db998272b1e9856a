/** The asynchronous calls of the WebAssembly backend on the thread of the event loop, step by step. */
import { checkOverlaps, type Problem, type Sums } from '../../problem/problem.js'
import type { Machine } from '../layout.js'
import { guarded, instance } from './instance.js'
import { Region } from './region.js'

/** Blocks that are computed a step: 10 us to a few ms. */
const BLOCKS = 2

/** The same as the synchronous call in steps. */
export function* steps(problem: Problem, machine: Machine): Generator<void, Sums> {
  checkOverlaps(problem)
  const here = instance()
  const { exports } = here
  const region = new Region(here, problem, machine)
  try {
    yield* region.copyIn()
    region.begin()
    const { run } = region
    const parts = exports.focal_scan_parts(run)
    for (let part = 0; part < parts; part++) {
      guarded(here, () => exports.focal_scan(run, part, part + 1))
      yield
    }
    region.finishScan()
    const blocks = exports.focal_blocks(run)
    for (let first = 0; first < blocks; first += BLOCKS) {
      guarded(here, () => exports.focal_compute(run, 0, first, Math.min(first + BLOCKS, blocks)))
      yield
    }
    const sums = region.finish()
    yield* region.copyOut()
    return sums
  } finally {
    region.free()
  }
}
