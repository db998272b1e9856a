/** Steps in turns: blocks of some milliseconds, one a turn of the event loop, on whatever the host has for that. */
import { afterEach, describe, expect, it, vi } from 'vitest'
import { SigmoidFocalLoss } from 'focal-loss'
import { BLOCK_ELEMENTS } from '../../src/backends/layout.js'
import { inTurns } from '../../src/backends/turns.js'
import type { Watch } from '../../src/backends/watch.js'

const never = { check: () => undefined } as unknown as Watch

function wait(milliseconds: number): void {
  for (const end = performance.now() + milliseconds; performance.now() < end; );
}

/** Steps of a millisecond, and what became of them. */
function stepsOf(count: number) {
  const seen = { done: 0, closed: false }
  function* steps(): Generator<void, string> {
    try {
      for (; seen.done < count; seen.done++) {
        wait(1)
        yield
      }
      return 'the end'
    } finally {
      seen.closed = true
    }
  }
  return { seen, steps: steps() }
}

afterEach(() => vi.unstubAllGlobals())

describe('in turns', () => {
  it.each<[string, string[]]>([
    ['setImmediate', []],
    ['MessageChannel', ['setImmediate']],
    ['setTimeout', ['setImmediate', 'MessageChannel']],
  ])('by %s, timers fire in between', async (_, missing) => {
    for (const name of missing) vi.stubGlobal(name, undefined)
    let ticks = 0
    const timer = setInterval(() => ticks++, 1)
    const { seen, steps } = stepsOf(60)
    expect(await inTurns(steps, never)).toBe('the end')
    clearInterval(timer)
    expect(seen).toEqual({ done: 60, closed: true })
    expect(ticks).toBeGreaterThan(2)
  })

  it('nothing runs before the caller has gone on', async () => {
    const { seen, steps } = stepsOf(1)
    const promise = inTurns(steps, never)
    await Promise.resolve()
    expect(seen.done).toBe(0)
    await promise
    expect(seen.done).toBe(1)
  })

  it('each of many has one block a turn, in order, and turns are no longer for it', async () => {
    const turns: number[] = []
    let turn = 0
    const count = () => {
      turn++
      timer = setImmediate(count)
    }
    let timer = setImmediate(count)
    const all = Array.from({ length: 5 }, async (_, i) => {
      const { steps } = stepsOf(20)
      const each = {
        check: () => {
          turns.push(10 * turn + i)
        },
      } as unknown as Watch
      await inTurns(steps, each)
    })
    await Promise.all(all)
    clearImmediate(timer)
    const [inTurn, who] = [turns.map((each) => Math.floor(each / 10)), turns.map((each) => each % 10)]
    expect(who.slice(0, 10)).toEqual([0, 1, 2, 3, 4, 0, 1, 2, 3, 4])
    expect(new Set(inTurn).size).toBe(turns.length)
  })

  it('what the watch throws ends them, and they clean up', async () => {
    const { seen, steps } = stepsOf(1000)
    let checks = 0
    const third = {
      check: () => {
        if (++checks === 3) throw new Error('enough')
      },
    } as unknown as Watch
    await expect(inTurns(steps, third)).rejects.toThrow('enough')
    expect(seen.closed).toBe(true)
    expect(seen.done).toBeLessThan(1000)
  })

  it('what a step throws is what they reject with', async () => {
    function* steps(): Generator<void, never> {
      yield
      throw new RangeError('wrong')
    }
    await expect(inTurns(steps(), never)).rejects.toThrow(new RangeError('wrong'))
  })
})

/** Counts, as what takes long depends on the machine: on this clock every step is longer than a block, so each has a turn of its own. */
describe('an asynchronous call', () => {
  const logits = new Float32Array(2 ** 20)
  const targets = new Uint8Array(logits.length)

  async function turnsOf(backend: 'wasm' | 'js', call: { shape?: number[]; classAxis?: number }): Promise<number> {
    let [now, turns] = [0, 0]
    vi.stubGlobal('performance', { now: () => (now += 1000) })
    // Watched before each turn
    const signal = { aborted: false, reason: undefined, throwIfAborted: () => (turns++, undefined), addEventListener: () => undefined, removeEventListener: () => undefined }
    await new SigmoidFocalLoss({ backend }).valueAndGradAsync(logits, targets, { ...call, signal })
    return turns
  }

  it.each<{ shape?: number[]; classAxis?: number }>([{}, { shape: [2 ** 16, 16] }, { shape: [16, 2 ** 16], classAxis: 0 }])('js: at most 4096 logits a step, %o', async (call) => {
    // They are scanned, then computed
    expect(await turnsOf('js', call)).toBeGreaterThanOrEqual(2 * (logits.length / 4096))
  })

  it.each<{ shape?: number[]; classAxis?: number }>([{}, { shape: [2 ** 16, 16] }, { shape: [16, 2 ** 16], classAxis: 0 }])('wasm: at most 256 KiB that are copied, two blocks that are computed a step, %o', async (call) => {
    const copied = logits.byteLength + targets.byteLength + logits.byteLength
    const blocks = logits.length / BLOCK_ELEMENTS
    expect(await turnsOf('wasm', call)).toBeGreaterThanOrEqual(copied / 2 ** 18 + blocks / 2)
  })
})

it('a block ends with the first step that ends 5 ms after its beginning', async () => {
  let [now, turns, done] = [0, 0, 0]
  vi.stubGlobal('performance', { now: () => now })
  function* steps(): Generator<void, void> {
    for (; done < 60; done++) {
      now++
      yield
    }
  }
  await inTurns(steps(), { check: () => (turns++, undefined) } as unknown as Watch)
  expect([done, turns]).toEqual([60, 13])
})
