/** How the ranks of a job find each other: rank 0 listens, the others connect and prove that they know the secret. */
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import { endianness } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import { counted, reasonOf } from '../../../errors.js'
import { Link, type Message } from './link.js'
import type { checkTcpOptions } from './options.js'

type Options = ReturnType<typeof checkTcpOptions>

/** Of what the ranks send each other. */
const FORMAT = 1
/** How long rank 0 waits for a stranger to say who it is. */
const HELLO_SECONDS = 10
/** Between attempts to reach a rank 0 that does not listen yet. */
const RETRY_MS = 50

/** The links of rank 0 to all the others, in their order. */
export async function gather({ size, host, port, secret, timeout }: Options): Promise<Link[]> {
  const links: (Link | undefined)[] = Array.from({ length: size - 1 }, () => undefined)
  const strangers = new Set<Link>()
  let refused = ''
  const server = createServer()
  let timer: NodeJS.Timeout | undefined
  try {
    server.listen({ host, port })
    await once(server, 'listening').catch((error: unknown) => {
      throw new Error(`rank 0 cannot listen at ${host}:${port}: ${reasonOf(error)}`)
    })
    await new Promise<void>((resolve, reject) => {
      timer = setTimeout(() => {
        const missing = links.flatMap((link, index) => (link === undefined ? [index + 1] : []))
        reject(new Error(`${timeout} s have passed without rank ${missing.join(', ')} of ${size}${refused}`))
      }, 1000 * timeout)
      const greet = async (socket: Socket) => {
        const link = new Link(socket, `a connection from ${socket.remoteAddress ?? 'nowhere'}`, timeout)
        strangers.add(link)
        const patience = setTimeout(() => link.leave('no rank has introduced itself in time'), 1000 * Math.min(timeout, HELLO_SECONDS))
        try {
          const nonce = randomBytes(16).toString('hex')
          await link.tell({ format: FORMAT, nonce })
          const hello = await link.hear()
          const reason = refusalOf(hello, { nonce, secret, size, taken: links })
          if (reason !== undefined) throw new Error(reason)
          const rank = Number(hello.rank)
          link.peer = `rank ${rank} of ${size}`
          link.onLost = reject
          links[rank - 1] = link
          if (links.every((each) => each !== undefined)) resolve()
        } catch (error) {
          refused = `; ${link.peer} was refused: ${reasonOf(error)}`
          link.leave(`refused: ${reasonOf(error)}`)
        } finally {
          clearTimeout(patience)
          strangers.delete(link)
        }
      }
      server.on('connection', (socket) => {
        void greet(socket)
      })
    })
    const all = links as Link[]
    await Promise.all(all.map((link) => link.tell({ joined: true })))
    return all
  } catch (error) {
    for (const link of links) link?.leave(reasonOf(error))
    throw error
  } finally {
    clearTimeout(timer)
    server.close()
    for (const stranger of strangers) stranger.leave('refused: all ranks of the job are there')
  }
}

/** Why a connection is no rank of this job. */
function refusalOf(hello: Message, job: { readonly nonce: string; readonly secret: string; readonly size: number; readonly taken: readonly unknown[] }): string | undefined {
  const { format, rank, size, order, proof } = hello
  if (format !== FORMAT) return `format ${String(format)}; expected ${FORMAT}, that of one version of focal-loss on all ranks`
  if (!isProof(proof, proofOf(job.secret, job.nonce, Number(rank)))) return 'another secret; expected that of rank 0'
  if (size !== job.size) return `a job of ${counted(Number(size), 'rank')}; expected ${job.size}, as rank 0 has it`
  if (order !== endianness()) return `numbers of byte order ${String(order)}; expected ${endianness()}, as rank 0 has them`
  if (!(Number.isInteger(rank) && Number(rank) >= 1 && Number(rank) < job.size)) return `rank ${String(rank)}; expected an integer from 1 to ${job.size - 1}`
  if (job.taken[Number(rank) - 1] !== undefined) return `rank ${String(rank)} is there already; expected every rank once`
  return undefined
}

/** The link to rank 0, once all ranks are there. */
export async function find({ rank, size, host, port, secret, timeout }: Options): Promise<Link> {
  const link = new Link(await reach(host, port, size, timeout), `rank 0 of ${size}`, timeout)
  try {
    const { nonce } = await link.hear()
    await link.tell({ format: FORMAT, rank, size, order: endianness(), proof: proofOf(secret, String(nonce), rank) })
    await link.hear()
    return link
  } catch (error) {
    link.leave(reasonOf(error))
    throw error
  }
}

async function reach(host: string, port: number, size: number, seconds: number): Promise<Socket> {
  const signal = AbortSignal.timeout(1000 * seconds)
  for (let why = 'no answer'; ; ) {
    const socket = connect({ host, port })
    try {
      await once(socket, 'connect', { signal })
      return socket
    } catch (error) {
      socket.destroy()
      if (signal.aborted) throw new Error(`${seconds} s have passed without rank 0 of ${size} at ${host}:${port}: ${why}`, { cause: error })
      why = reasonOf(error)
    }
    await sleep(RETRY_MS)
  }
}

/** That a rank knows the secret, without telling it. */
const proofOf = (secret: string, nonce: string, rank: number) => createHmac('sha256', secret).update(`${nonce} ${rank}`).digest('hex')

function isProof(given: unknown, right: string): boolean {
  return typeof given === 'string' && given.length === right.length && timingSafeEqual(Buffer.from(given), Buffer.from(right))
}
