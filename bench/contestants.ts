/** The contestants of the benchmarks: the backends of this package, memcpy, and other libraries. */
import { availableParallelism } from 'node:os'
import { type BackendName, backends } from 'focal-loss'
import { registerBackend } from '../src/backends/registry.js'
import type { BenchProblem } from '../src/cli/bench/cases.js'
import type { Outcome } from '../src/cli/bench/check.js'
import { createRequire } from 'node:module'
import { nativeLoader } from '../src/backends/native/load.js'

/** How a call is timed: here, here but waiting for a promise, or by another process that reports seconds per call. */
export type Work =
  | { readonly kind: 'sync'; readonly call: () => unknown }
  | { readonly kind: 'async'; readonly call: () => Promise<unknown> }
  | { readonly kind: 'elsewhere'; readonly sample: (seconds: number) => Promise<number[]> }

export interface Contestant {
  readonly who: string
  readonly threads: number
  readonly role: 'ours' | 'memcpy' | 'peer'
  /** Before each use: backends and frameworks have settings for the whole process. */
  readonly begin?: () => void | Promise<void>
  /** One call, its results read back; `null` for memcpy, which solves nothing. */
  readonly outcome: (() => Outcome | Promise<Outcome>) | null
  readonly work: Work
  readonly end?: () => void | Promise<void>
}

export const oursNames = ['native-1', 'native', 'wasm', 'js', 'auto'] as const
export type OursName = (typeof oursNames)[number]

export const allThreads = availableParallelism()

/** 'native, 2 threads': the same words in every table. */
export function withThreads(name: string, threads: number): string {
  return `${name}, ${threads} ${threads === 1 ? 'thread' : 'threads'}`
}

export function titleOf(name: OursName): string {
  if (name === 'native-1') return withThreads('native', 1)
  return name === 'native' ? withThreads('native', allThreads) : name
}

/** The backends of the names that run here; on a machine with one processor the two of native are one. */
export function runnable(names: readonly OursName[]): OursName[] {
  const available = new Set<string>(backends().flatMap(({ name, available }) => (available ? [name] : [])))
  return names.filter((name) => {
    if (name === 'native') return available.has('native') && !(allThreads === 1 && names.includes('native-1'))
    return name === 'auto' || available.has(backendOf(name))
  })
}

/** Loss and gradient by this package, through its public methods, into one gradient array that is used again. */
export function oursContestant(name: OursName, problem: BenchProblem, grad: BenchProblem['logits']): Contestant {
  const { logits, targets } = problem
  const threads = name === 'native' || name === 'auto' ? allThreads : 1
  const threaded = backendOf(name) === 'native' || name === 'auto'
  const loss = problem.case.make(backendOf(name))
  const call = { grad }
  return {
    who: titleOf(name),
    threads,
    role: 'ours',
    begin() {
      if (threaded) useThreads(threads)
      // What only a first call does, as the measurements of 'auto', is not timed
      loss.valueAndGrad(logits, targets, call)
    },
    outcome() {
      grad.fill(NaN)
      return { sum: loss.valueAndGrad(logits, targets, call).value, grad }
    },
    work: { kind: 'sync', call: () => loss.valueAndGrad(logits, targets, call) },
  }
}

export function backendOf(name: OursName): BackendName | 'auto' {
  return name === 'native-1' ? 'native' : name
}

let threadsInUse = 0

/** A backend reads its number of threads when it is loaded, so it is loaded again. */
export function useThreads(threads: number): void {
  if (threads === threadsInUse) return
  threadsInUse = threads
  process.env.FOCAL_LOSS_THREADS = String(threads)
  registerBackend('native', nativeLoader(() => createRequire(import.meta.url)('../build/Release/focal_loss.node')))
}
