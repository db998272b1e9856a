/** Runs the plan: makes each problem, checks every contestant's result, times them in turn. */
import { type BenchCase, type BenchProblem, type Dtype, hasSize, makeProblem } from '../src/cli/bench/cases.js'
import { expectEqual, type Outcome, referenceOf, TOLERANCE } from '../src/cli/bench/check.js'
import { type Measurement, measurement } from '../src/cli/bench/result.js'
import { summarise } from '../src/cli/bench/statistics.js'
import { type Contestant, oursContestant, type OursName, runnable } from './contestants.js'
import { memcpyContestants } from './memcpy.js'
import type { Peer } from './peers/peer.js'
import { type Effort, timeAll } from './suite.js'

export interface Plan {
  readonly losses: readonly BenchCase[]
  readonly sizes: readonly number[]
  readonly dtypes: readonly Dtype[]
  readonly ours: readonly OursName[]
  readonly peers: readonly Peer[]
  readonly effort: Effort
}

export interface Row extends Measurement {
  readonly role: Contestant['role']
  readonly threads: number
}

export interface Run {
  readonly rows: readonly Row[]
  /** Results that are not equal, and what else kept a contestant from being timed. */
  readonly failures: readonly { readonly who: string; readonly role: Contestant['role']; readonly message: string }[]
}

interface Job {
  readonly loss: BenchCase
  readonly dtype: Dtype
  readonly size: number
  readonly peers: readonly Peer[]
}

export function jobsOf({ losses, sizes, dtypes, peers }: Plan): Job[] {
  return losses.flatMap((loss) =>
    dtypes.flatMap((dtype) =>
      sizes
        .filter((size) => hasSize(loss, size))
        .map((size) => ({ loss, dtype, size, peers: peers.filter((peer) => suits(peer, loss, dtype, size)) })),
    ),
  )
}

/** Peers reshape the logits into rows, and are there in float32 only. */
function suits(peer: Peer, { name, classes }: BenchCase, dtype: Dtype, size: number): boolean {
  return peer.loss === name && dtype === 'float32' && size <= peer.largest && size % classes === 0
}

/** How often `advance` is called at least: more where memcpy is timed twice. */
export function stepsOf(plan: Plan): number {
  const ours = runnable(plan.ours).length
  return jobsOf(plan).reduce((steps, { peers }) => steps + plan.effort.rounds * (1 + ours + peers.length), 0)
}

export async function run(plan: Plan, advance: (what: string) => void): Promise<Run> {
  const rows: Row[] = []
  const failures: Run['failures'][number][] = []
  for (const { loss, dtype, size, peers } of jobsOf(plan)) {
    const problem = makeProblem(loss, dtype, size)
    const grad = problem.logits.slice()
    const exact = referenceOf(problem)
    const contestants = memcpyContestants(problem, grad)
    for (const name of runnable(plan.ours)) contestants.push(oursContestant(name, problem, grad))
    const tolerances = new Map<Contestant, number>()
    for (const peer of peers) {
      const contestant = await peer.contestant(problem)
      contestants.push(contestant)
      tolerances.set(contestant, peer.tolerance)
    }
    const right: Contestant[] = []
    for (const contestant of contestants) {
      const message = await mistakeOf(contestant, exact, tolerances.get(contestant) ?? TOLERANCE)
      if (message === undefined) right.push(contestant)
      else failures.push({ who: contestant.who, role: contestant.role, message: `${size} logits: ${message}` })
    }
    const samples = await timeAll(right, plan.effort, (who) => advance(`${loss.name} ${dtype} ${size}: ${who}`))
    rows.push(...rowsOf(problem, right, samples))
    for (const { end } of contestants) await end?.()
  }
  return { rows, failures }
}

async function mistakeOf({ who, begin, outcome }: Contestant, exact: Outcome, tolerance: number): Promise<string | undefined> {
  try {
    await begin?.()
    if (outcome !== null) expectEqual(who, await outcome(), exact, tolerance)
    return undefined
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}

function rowsOf(problem: BenchProblem, contestants: readonly Contestant[], samples: readonly number[][]): Row[] {
  const copied = { ...problem, bytes: 2 * problem.logits.byteLength }
  // Bytes a second of memcpy with as many threads
  const memcpy = new Map<number, number>()
  contestants.forEach(({ role, threads }, index) => {
    if (role === 'memcpy') memcpy.set(threads, copied.bytes / summarise(samples[index]).median)
  })
  return contestants.map(({ who, role, threads }, index) => {
    const moved = role === 'memcpy' ? copied : problem
    return { ...measurement(moved, who, samples[index], memcpy.get(threads) ?? null), role, threads }
  })
}
