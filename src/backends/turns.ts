/** Long work on the event loop's thread, in blocks, so that timers, input and output run in between. */
import type { Problem } from '../problem/problem.js'
import type { Watch } from './watch.js'

/** Logits a step, at some 50 ns each. */
export const STEP = 4096

/** Parts of so many, the last of which may be shorter. */
export function* pieces(length: number, each: number): Generator<readonly [begin: number, end: number]> {
  for (let begin = 0; begin < length; begin += each) yield [begin, Math.min(begin + each, length)]
}

/** The rows of a problem, some at a time. */
export function rowPieces({ outer, classes, inner }: Pick<Problem, 'outer' | 'classes' | 'inner'>): Iterable<readonly [begin: number, end: number]> {
  return pieces(outer * inner, Math.max(1, Math.floor(STEP / classes)))
}

/** How long a block takes, in milliseconds, and its last step. Garbage collection may add as much again, and a frame has 16 ms. */
const BLOCK = 5

/**
 * Takes the steps to their end and returns their result. Looks at the watch before each block, and never runs a step where
 * it throws. However it ends, the steps have run their `finally`.
 */
export async function inTurns<T>(steps: Generator<void, T>, watch: Watch): Promise<T> {
  try {
    for (;;) {
      await nextTurn()
      watch.check()
      const end = performance.now() + BLOCK
      do {
        const step = steps.next()
        if (step.done === true) return step.value
      } while (performance.now() < end)
    }
  } finally {
    steps.return(undefined as never)
  }
}

/** Those who wait, first come first served: one block a turn of the event loop, however many calls there are. */
const waiting: (() => void)[] = []

function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    if (waiting.push(resolve) === 1) afterOthers(serve)
  })
}

function serve(): void {
  waiting.shift()?.()
  if (waiting.length > 0) afterOthers(serve)
}

interface Host {
  readonly setImmediate?: (task: () => void) => void
  readonly MessageChannel?: typeof MessageChannel
}

/** Runs a task of its own, behind those that are due. A timer of zero would be put off by milliseconds in browsers. */
function afterOthers(task: () => void): void {
  const { setImmediate, MessageChannel } = globalThis as Host
  if (setImmediate !== undefined) {
    setImmediate(task)
  } else if (MessageChannel !== undefined) {
    const { port1, port2 } = new MessageChannel()
    port1.onmessage = () => {
      port1.close()
      task()
    }
    port2.postMessage(null)
  } else {
    setTimeout(task, 0)
  }
}
