/**
 * What a step of data-parallel training takes on `ranks` ranks: a model, and a simulation that it is held against.
 *
 * An exchange of n bytes between two ranks takes `latency + n * perByte` (Hockney 1994). An all-reduce is the faster of two (Thakur,
 * Rabenseifner and Gropp 2005): recursive doubling for few numbers, a ring for many.
 */
import { Random } from '../../examples/cell-detector/random.js'

export interface Network {
  readonly name: string
  /** Seconds of an exchange of nothing. */
  readonly latency: number
  /** Seconds. */
  readonly perByte: number
}

export interface Work {
  /** Seconds a rank computes in a step. */
  readonly compute: number
  /** Numbers of the gradient, in single precision. */
  readonly parameters: number
}

/** 15 doubles: what the loss exchanges. */
export const LOSS_BYTES = 120
const FLOAT_BYTES = 4

/** A network by what an all-reduce of 15 doubles and of a million floats takes on two of its ranks, in seconds. */
export function networkOf(name: string, few: number, many: number): Network {
  return { name, latency: few, perByte: Math.max(0, many - few) / (1e6 * FLOAT_BYTES) }
}

/** Seconds of an all-reduce. */
export function allReduceTime(ranks: number, bytes: number, { latency, perByte }: Network): number {
  if (ranks === 1) return 0
  const doubling = Math.ceil(Math.log2(ranks)) * (latency + bytes * perByte)
  const ring = 2 * (ranks - 1) * (latency + (bytes / ranks) * perByte)
  return Math.min(doubling, ring)
}

/** Seconds of a step's parts, where every rank computes as long: nothing overlaps. */
export function stepTime(ranks: number, { compute, parameters }: Work, network: Network) {
  const loss = allReduceTime(ranks, LOSS_BYTES, network)
  const gradient = allReduceTime(ranks, FLOAT_BYTES * parameters, network)
  const step = compute + loss + gradient
  return { loss, gradient, step, efficiency: compute / step, ofLoss: loss / step }
}

/**
 * The mean of steps in which every rank has a clock of its own: a rank's exchange begins when both ends are there. Ranks compute for
 * `compute` seconds, with a deviation of `jitter` times that.
 */
export function simulateStep(ranks: number, { compute, parameters }: Work, network: Network, jitter: number, steps: number): number {
  const random = new Random(1)
  let clocks = new Float64Array(ranks)
  for (let step = 0; step < steps; step++) {
    clocks = clocks.map((clock) => clock + compute)
    clocks = simulateAllReduce(clocks, LOSS_BYTES, network)
    // What a rank computes beyond the others is waited for once: in its gradient's all-reduce
    clocks = clocks.map((clock) => clock + Math.max(-compute, jitter * compute * random.normal()))
    clocks = simulateAllReduce(clocks, FLOAT_BYTES * parameters, network)
  }
  return Math.max(...clocks) / steps
}

function simulateAllReduce(clocks: Float64Array<ArrayBuffer>, bytes: number, network: Network): Float64Array<ArrayBuffer> {
  const ranks = clocks.length
  if (ranks === 1) return clocks
  const doubling = Math.ceil(Math.log2(ranks))
  const inRing = 2 * (ranks - 1) * (network.latency + (bytes / ranks) * network.perByte) < doubling * (network.latency + bytes * network.perByte)
  const rounds = inRing ? 2 * (ranks - 1) : doubling
  const each = network.latency + (inRing ? bytes / ranks : bytes) * network.perByte
  let now = clocks
  for (let round = 0; round < rounds; round++) {
    const before = now
    now = before.map((clock, rank) => Math.max(clock, before[inRing ? (rank + ranks - 1) % ranks : (rank + ranks - 2 ** round) % ranks]) + each)
  }
  return now
}
