/** One process of a job over TCP: `node --import tsx tcp_rank.ts SCENARIO PORT RANK SIZE TIMEOUT`. Prints one line of JSON. */
import { performance } from 'node:perf_hooks'
import { setImmediate as turn } from 'node:timers/promises'
import { joinTcp } from 'focal-loss/tcp'
import { messageOf } from './message.js'

const [scenario, ...numbers] = process.argv.slice(2)
const [port, rank, size, timeout] = numbers.map(Number)
const ranks = await joinTcp({ port, rank, size, timeout, secret: 'of the test' })
const isLast = rank === size - 1

const scenarios: Record<string, () => Promise<unknown>> = {
  /** Millions of numbers, and then a few. */
  async large() {
    const long = Float32Array.from({ length: 5_000_000 }, (_, k) => (k % 1000) * (rank + 1))
    await ranks.allReduce(long, 'sum')
    const few = Float64Array.of(rank, 1)
    await ranks.allReduce(few, 'sum')
    const factor = (size * (size + 1)) / 2
    return { long: long.every((each, k) => each === (k % 1000) * factor), few: [...few] }
  },
  /** The last rank ends in the middle: as the scenario says. */
  kill: () => endBy(() => process.kill(process.pid, 'SIGKILL')),
  stop: () => endBy(() => process.kill(process.pid, 'SIGSTOP')),
  leave: () => endBy(() => process.exit(0)),
  throw: () =>
    endBy(() => {
      throw new Error('out of luck')
    }),
  /** Rank 0 ends, which all others are connected to. */
  first: () => endBy(() => process.kill(process.pid, 'SIGKILL'), rank === 0),
  /** The last rank ends while a long array is on its way. */
  async amid() {
    const done = ranks.allReduce(new Float64Array(20_000_000), 'sum')
    if (isLast) setTimeout(() => process.kill(process.pid, 'SIGKILL'), 50)
    return reasonOf(done)
  },
  /** Computes for longer than the limit while the answer is there already. */
  async busy() {
    const few = Float64Array.of(1)
    const done = ranks.allReduce(few, 'sum')
    await turn()
    if (isLast) for (const end = performance.now() + 1500 * timeout; performance.now() < end; );
    await done
    return { few: [...few] }
  },
}

async function reasonOf(promise: Promise<void>) {
  const begin = performance.now()
  const reason = await messageOf(promise)
  const again = await messageOf(ranks.allReduce(new Float64Array(1)))
  return { reason, again, seconds: (performance.now() - begin) / 1000 }
}

async function endBy(how: () => void, isEnding = isLast) {
  await ranks.allReduce(new Float64Array(4))
  if (isEnding) how()
  return reasonOf(ranks.allReduce(new Float64Array(4)))
}

console.log(JSON.stringify(await scenarios[scenario]()))
