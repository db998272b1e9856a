/**
 * Data-parallel training: several ranks, one batch, one loss. What joins the ranks is the caller's: `@focal-loss/mpi`, threads over shared
 * memory, or anything with an all-reduce.
 *
 * @module focal-loss/parallel
 */
export type { Collective } from './collective.js'
export { type ParallelBatch, type ParallelCall, type ParallelLoss, type ParallelStep, parallelStep, type ParallelValue } from './parallel_step.js'
export { sharedCollective, type SharedCollectiveMemory, sharedMemory } from './shared.js'
