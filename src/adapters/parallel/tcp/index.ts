/**
 * Processes that share a batch over TCP, without MPI: for tests and small set-ups. Rank 0 adds everything up, so its connection carries
 * the arrays of all; for more than a few processes take `@focal-loss/mpi`. Node.js only.
 *
 * @module focal-loss/tcp
 */
import { surplus } from '../../../errors.js'
import { checkSum, type Collective } from '../collective.js'
import type { Link } from './link.js'
import { find, gather } from './meet.js'
import { checkTcpOptions, type TcpOptions } from './options.js'
import { reduceAsFirst, reduceAsOther } from './reduce.js'

export type { TcpOptions } from './options.js'

/** The ranks that {@link joinTcp} has joined. */
export interface TcpCollective extends Collective {
  /**
   * Sums in place: {@link Collective.allReduce}. The array must stay as it is until the promise settles. Several may be under way, and
   * run one after another. Rejects on all ranks where one of them has ended, is silent for `timeout` seconds, or has an array of another
   * type or length; the job has ended then, and every later call rejects with the same error.
   */
  allReduce(array: Float64Array | Float32Array, operation?: 'sum'): Promise<void>
  /** Leaves the job. It is not needed before the end of the process. */
  close(): void
}

/**
 * Joins the other ranks of a job over TCP; resolves once all are there. Rank 0 listens at `host` and `port`, and the others connect to
 * it, whichever starts first.
 *
 * Connections are neither encrypted nor signed: the secret keeps strangers and other jobs out, not who can read or change
 * the network's traffic.
 *
 * @throws {TypeError | RangeError} for an option that is wrong.
 * @throws {Error} where a rank is refused, or has not come after `timeout` seconds.
 */
export async function joinTcp(options: TcpOptions): Promise<TcpCollective> {
  if (arguments.length > 1) throw surplus('joinTcp()', 1, arguments.length)
  const checked = checkTcpOptions(options)
  const { rank, size } = checked
  const links = rank === 0 ? (size === 1 ? [] : await gather(checked)) : [await find(checked)]
  return new TcpRank(rank, size, links)
}

class TcpRank implements TcpCollective {
  readonly rank: number
  readonly size: number
  /** Of rank 0 to all the others, of each of them to rank 0. */
  readonly #links: readonly Link[]
  #last: Promise<void> = Promise.resolve()
  #end: Error | undefined

  constructor(rank: number, size: number, links: readonly Link[]) {
    this.rank = rank
    this.size = size
    this.#links = links
    for (const link of links) link.onLost = (error) => this.#leave(error)
  }

  async allReduce(array: Float64Array | Float32Array, operation?: 'sum'): Promise<void> {
    checkSum(array, operation)
    const result = this.#last.then(() => this.#reduce(array))
    this.#last = result.catch(() => undefined)
    await result
  }

  close(): void {
    this.#end ??= new Error('this rank has left the job; expected no call after close()')
    for (const link of this.#links) link.leave()
  }

  async #reduce(array: Float64Array | Float32Array): Promise<void> {
    if (this.#end !== undefined) throw this.#end
    try {
      if (this.rank === 0) await reduceAsFirst(array, this.#links)
      else await reduceAsOther(array, this.#links[0])
    } catch (error) {
      this.#leave(error as Error)
      throw this.#end ?? error
    }
  }

  /** Of several errors the first is what happened; the others follow from it. */
  #leave(error: Error): void {
    if (this.#end !== undefined) return
    this.#end = error
    for (const link of this.#links) link.leave(error.message)
  }
}
