/** Options of {@link joinTcp}. */
import { checkNames, checkRecord, wholeNumber } from '../../../arguments.js'
import { outOfRange, wrongType } from '../../../errors.js'
import { checkRank } from '../collective.js'

/** Which rank this process is, and where rank 0 is. */
export interface TcpOptions {
  /** Which rank this process is, from 0 to `size - 1`. */
  rank: number
  /** How many processes there are. */
  size: number
  /** The port that rank 0 listens at, from 1 to 65535. */
  port: number
  /** What all ranks know and nobody else: a text that is not empty. Whoever connects without it is refused. */
  secret: string
  /** The address or name of rank 0's host. Rank 0 listens at this address alone. Default '127.0.0.1': one machine. */
  host?: string | undefined
  /** How many seconds a rank waits for a sign of the others: a number > 0, at most 2,000,000. Default 300. */
  timeout?: number | undefined
}

const NAMES: ReadonlySet<string> = new Set<keyof TcpOptions>(['rank', 'size', 'port', 'secret', 'host', 'timeout'])
const LAST_PORT = 65_535
/** A timer of Node.js counts milliseconds in 31 bits. */
const LONGEST_TIMEOUT = 2_000_000

/** The options with their defaults. Throws where one is wrong. */
export function checkTcpOptions(options: TcpOptions): Required<{ [K in keyof TcpOptions]: NonNullable<TcpOptions[K]> }> {
  checkRecord('options', options)
  checkNames(options, NAMES, 'joinTcp()')
  const { rank, size, secret, host = '127.0.0.1', timeout = 300 } = options
  checkRank(rank, size)
  const port = wholeNumber('port', options.port, LAST_PORT)
  if (port === 0) throw outOfRange('port', port, `a whole number from 1 to ${LAST_PORT}`)
  for (const [name, value] of Object.entries({ secret, host })) {
    if (typeof value !== 'string') throw wrongType(name, value, 'a text')
    if (value === '') throw outOfRange(name, value, 'a text that is not empty')
  }
  const seconds = `a number of seconds > 0 and <= ${LONGEST_TIMEOUT}`
  if (typeof timeout !== 'number') throw wrongType('timeout', timeout, seconds)
  if (!(timeout > 0 && timeout <= LONGEST_TIMEOUT)) throw outOfRange('timeout', timeout, seconds)
  return { rank, size, port, secret, host, timeout }
}
