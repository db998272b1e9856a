/**
 * Data-parallel training: several ranks, one batch, one loss. The ranks are connected by `@focal-loss/mpi`, by shared memory, by TCP, or
 * by any object with an all-reduce.
 *
 * @module focal-loss/parallel
 */
export type { Collective } from './collective.js'
export { type ParallelBatch, type ParallelCall, type ParallelLoss, type ParallelStep, parallelStep, type ParallelValue } from './parallel_step.js'
export { sharedCollective, type SharedCollectiveMemory, type SharedCollectiveOptions, sharedMemory } from './shared.js'
