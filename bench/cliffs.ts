/** `npm run bench -- --cliffs`: how much longer calls take that may leave the fast path. Ratios within one run, in which machine noise cancels. */
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import Table from 'cli-table3'
import { summarise } from '../src/cli/bench/statistics.js'
import { type CliffCase, fastRoads, type FastRoad, type Library, type MakeCall } from './cliff_cases.js'
import { backendOf, type OursName, runnable, titleOf, useThreads, allThreads } from './contestants.js'

export interface CliffPlan {
  readonly cases: readonly CliffCase[]
  readonly who: readonly OursName[]
  /** Logits in a call, a multiple of 9,600. */
  readonly size: number
  readonly rounds: number
  /** How often each is timed in a round, for how many seconds at least. */
  readonly repeats: number
  readonly seconds: number
  /** Another build; with it, each row also has the time over that build's. */
  readonly other?: Library
}

export interface CliffRow {
  readonly title: string
  readonly who: string
  readonly nanosecondsPerLogit: number
  /** The time over the fast road's, the median over rounds; `null` for the fast roads themselves. */
  readonly ratio: number | null
  readonly reach: number | null
  readonly aim: number | null
  /** The time over the other build's, the median over rounds; `null` without one. */
  readonly overOther: number | null
}

/** The package as `folder`, a built checkout, has it; with one thread. */
export async function libraryIn(folder: string): Promise<Library> {
  const { FOCAL_LOSS_THREADS: before } = process.env
  process.env.FOCAL_LOSS_THREADS = '1'
  const library = (await import(pathToFileURL(join(resolve(folder), 'dist', 'node.js')).href)) as Library
  library.backends()  // now it has read the number
  if (before === undefined) delete process.env.FOCAL_LOSS_THREADS
  else process.env.FOCAL_LOSS_THREADS = before
  return library
}

export async function runCliffs(plan: CliffPlan, advance: (what: string) => void): Promise<CliffRow[]> {
  const library = await import('focal-loss')
  const rows: CliffRow[] = []
  for (const name of runnable(plan.who)) {
    useThreads(name === 'native' ? allThreads : 1)
    // It reads its number of threads once
    const other = name === 'native' ? undefined : plan.other
    const time = (of: readonly FastRoad[]) => timesOf(of.flatMap(({ make }) => bothCalls(make, name, plan.size, library, other)), plan)
    const row = (of: FastRoad, [own, theirs]: readonly number[][], fast?: readonly number[]): CliffRow => {
      const { reach = null, aim = null } = of as Partial<CliffCase>
      const nanosecondsPerLogit = (summarise(own).median / plan.size) * 1e9
      const ratio = fast === undefined ? null : medianRatio(own, fast)
      return { title: of.title, who: titleOf(name), nanosecondsPerLogit, ratio, reach, aim, overOther: other === undefined ? null : medianRatio(own, theirs) }
    }
    const each = other === undefined ? 1 : 2
    for (const road of fastRoads.filter((road) => plan.cases.some(({ against }) => against === road))) {
      advance(`${titleOf(name)}: ${road.title}`)
      rows.push(row(road, time([road])))
    }
    for (const cliff of plan.cases) {
      advance(`${titleOf(name)}: ${cliff.title}`)
      const times = time([cliff, cliff.against])
      rows.push(row(cliff, times, times[each]))
    }
  }
  return rows
}

function bothCalls(make: MakeCall, name: OursName, size: number, library: Library, other: Library | undefined): (() => unknown)[] {
  return [library, ...(other === undefined ? [] : [other])].map((each) => make(each, backendOf(name) as 'native' | 'wasm' | 'js', size))
}

/**
 * Seconds a call, of each call in each round: of several one after the other, taken in turn, the shortest. What else runs on the machine
 * takes the processor away for some of them, not for all.
 */
function timesOf(calls: readonly (() => unknown)[], { rounds, seconds, repeats }: CliffPlan): number[][] {
  const once = calls.map((call) => {
    call()
    return secondsOf(call, 1)
  })
  const inOne = once.map((time) => Math.max(1, Math.ceil(seconds / time)))
  const times = calls.map((): number[] => [])
  for (let round = 0; round < rounds; round++) {
    const shortest = calls.map(() => Infinity)
    for (let repeat = 0; repeat < repeats; repeat++) calls.forEach((call, i) => (shortest[i] = Math.min(shortest[i], secondsOf(call, inOne[i]))))
    shortest.forEach((time, i) => times[i].push(time))
  }
  return times
}

function secondsOf(call: () => unknown, repeats: number): number {
  const begin = process.hrtime.bigint()
  for (let i = 0; i < repeats; i++) call()
  return Number(process.hrtime.bigint() - begin) / 1e9 / repeats
}

/** Of each round its own ratio: a slow second falls on both. */
function medianRatio(times: readonly number[], others: readonly number[]): number {
  return summarise(times.map((time, round) => time / others[round])).median
}

export function cliffTable(rows: readonly CliffRow[]): string {
  const compared = rows.some(({ overOther }) => overOther !== null)
  const head = ['who', 'call', 'ns a logit', 'over the fast road', 'reach', 'aim', ...(compared ? ['over the other build'] : [])]
  const two = (number: number | null) => number?.toFixed(2) ?? ''
  const drawn = new Table({ head, colAligns: head.map((_, i) => (i < 2 ? 'left' : 'right')), style: { head: [], border: [], compact: true } })
  for (const { who, title, nanosecondsPerLogit, ratio, reach, aim, overOther } of rows) {
    const cells = [who, title, two(nanosecondsPerLogit), two(ratio), two(reach), two(aim)]
    drawn.push(compared ? [...cells, two(overOther)] : cells)
  }
  return drawn.toString()
}
