/**
 * One connection between two ranks. Frames go over it, each with a head of eight bytes (its kind and its length): messages in JSON,
 * and numbers as they are in memory.
 */
import type { Socket } from 'node:net'

/** What a rank tells another in words. */
export type Message = Readonly<Record<string, string | number | boolean>>

const HEAD_BYTES = 8
/** The kinds of frames. Whoever sends another is no rank. */
const [MESSAGE, NUMBERS] = [0x666c_0001, 0x666c_0002]
const LONGEST_MESSAGE = 4096

export class Link {
  /** As errors call the other end. */
  peer: string
  /** Called once, when the connection is lost. */
  onLost: ((error: Error) => void) | undefined
  readonly #socket: Socket
  readonly #seconds: number
  readonly #waits = new Set<(error?: Error) => void>()
  #onReadable: (() => void) | undefined
  #failure: Error | undefined
  #left = false

  /** `seconds` is how long it waits for a sign of the other end. The process may end while nothing waits. */
  constructor(socket: Socket, peer: string, seconds: number) {
    this.peer = peer
    this.#socket = socket.setNoDelay(true).unref()
    this.#seconds = seconds
    socket.on('readable', () => {
      // With nothing to read this is the end, which read() then announces
      if (socket.readableLength === 0) socket.read(0)
      this.#onReadable?.()
    })
    socket.on('error', (error) => this.#lose(`: ${error.message}`))
    socket.on('end', () => this.#lose(''))
    socket.on('close', () => this.#lose(''))
  }

  /** Sends a message. */
  async tell(message: Message): Promise<void> {
    await this.#write(frame(MESSAGE, Buffer.from(JSON.stringify(message))))
  }

  /** The next message. Throws where it is the other end's farewell. */
  async hear(): Promise<Message> {
    const head = await this.#readHead()
    if (head.kind !== MESSAGE) throw this.#noRank()
    return this.#readMessage(head.bytes)
  }

  /** Sends an array's bytes, which must stay as they are until the promise settles. */
  async sendNumbers(bytes: Uint8Array): Promise<void> {
    this.#socket.cork()
    const head = this.#write(headOf(NUMBERS, bytes.length))
    const rest = this.#write(bytes)
    this.#socket.uncork()
    await Promise.all([head, rest])
  }

  /** Fills `into` with the numbers of the next frame. */
  async readNumbers(into: Uint8Array): Promise<void> {
    const { kind, bytes } = await this.#readHead()
    if (kind === MESSAGE) await this.#readMessage(bytes)
    if (kind !== NUMBERS || bytes !== into.length) throw this.#noRank()
    await this.#read(into)
  }

  /** Ends the connection. `reason`, where there is one, is what the other end throws. */
  leave(reason?: string): void {
    if (this.#left) return
    this.#left = true
    this.onLost = undefined
    this.#fail(new Error(reason ?? 'this rank has left the job'))
    const socket = this.#socket
    // What still comes is let go, so that the other end reads the farewell
    socket.removeAllListeners('readable').resume()
    if (reason === undefined) socket.end()
    else socket.end(frame(MESSAGE, Buffer.from(JSON.stringify({ error: reason.slice(0, LONGEST_MESSAGE / 8) }))))
  }

  async #readHead(): Promise<{ readonly kind: number; readonly bytes: number }> {
    const head = Buffer.allocUnsafe(HEAD_BYTES)
    await this.#read(head)
    return { kind: head.readUInt32BE(0), bytes: head.readUInt32BE(4) }
  }

  async #readMessage(bytes: number): Promise<Message> {
    if (bytes > LONGEST_MESSAGE) throw this.#noRank()
    const text = Buffer.allocUnsafe(bytes)
    await this.#read(text)
    let message: unknown
    try {
      message = JSON.parse(text.toString())
    } catch {
      throw this.#noRank()
    }
    if (typeof message !== 'object' || message === null) throw this.#noRank()
    if ('error' in message) throw new Error(String(message.error))
    return message as Message
  }

  async #read(into: Uint8Array): Promise<void> {
    for (let at = 0; at < into.length; ) {
      const ready = Math.min(this.#socket.readableLength, into.length - at)
      if (ready === 0) await this.#wait((done) => (this.#onReadable = done))
      else {
        into.set(this.#socket.read(ready) as Uint8Array, at)
        at += ready
      }
    }
  }

  #write(bytes: Uint8Array): Promise<void> {
    return this.#wait((done) => this.#socket.write(bytes, (error) => (error ? this.#lose(`: ${error.message}`) : done())))
  }

  /** Until `begin` says that it is done, the connection is lost, or the other end is silent for too long. */
  async #wait(begin: (done: () => void) => void): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure
    this.#socket.ref()
    try {
      await new Promise<void>((resolve, reject) => {
        const settle = (error?: Error) => {
          clearTimeout(timer)
          this.#waits.delete(settle)
          if (error === undefined) resolve()
          else reject(error)
        }
        // After a long computation timers are due before what has arrived meanwhile is looked at
        const timer = setTimeout(() => setImmediate(settle, new Error(`${this.#seconds} s have passed without a sign of ${this.peer}`)), 1000 * this.#seconds)
        this.#waits.add(settle)
        begin(() => settle())
      })
    } finally {
      if (this.#waits.size === 0) this.#socket.unref()
    }
  }

  #lose(detail: string): void {
    if (this.#failure !== undefined) return
    const error = new Error(`${this.peer} has left the job, and its connection is closed${detail}`)
    this.#fail(error)
    this.onLost?.(error)
  }

  #fail(error: Error): void {
    this.#failure ??= error
    for (const settle of [...this.#waits]) settle(this.#failure)
  }

  #noRank(): Error {
    return new Error(`${this.peer} sends what no rank of focal-loss/tcp sends`)
  }
}

function headOf(kind: number, bytes: number): Buffer {
  const head = Buffer.allocUnsafe(HEAD_BYTES)
  head.writeUInt32BE(kind, 0)
  head.writeUInt32BE(bytes, 4)
  return head
}

const frame = (kind: number, bytes: Uint8Array) => Buffer.concat([headOf(kind, bytes.length), bytes])
