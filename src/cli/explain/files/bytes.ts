/** Bytes of a file, or of a part of an archive: from the front, and where that is possible anywhere. */
import type { Stats } from 'node:fs'
import { type FileHandle, open, stat } from 'node:fs/promises'
import type { Readable } from 'node:stream'
import { reasonOf } from '../../../errors.js'
import { damageOf } from './damage.js'

export interface Bytes {
  readonly size: number
  /** Fills `to` with the next bytes; returns how many there were: fewer than it holds only at the end. */
  next(to: Uint8Array): Promise<number>
  /** As {@link next}, from a position on. Absent where the bytes come one way only. */
  readonly at?: (position: number, to: Uint8Array) => Promise<number>
  close(): Promise<void>
}

/** The whole of a file, or a section of it. */
export async function fileBytes(path: string, section?: { readonly start: number; readonly size: number }): Promise<Bytes> {
  const file = await opened(path)
  const { start, size } = section ?? { start: 0, size: (await file.stat()).size }
  let position = 0
  const at = (from: number, to: Uint8Array) => fill(file, start + from, to.subarray(0, Math.max(0, Math.min(to.length, size - from))))
  return {
    size,
    at,
    async next(to) {
      const read = await at(position, to)
      position += read
      return read
    },
    close: () => file.close(),
  }
}

/** Bytes that a stream delivers, `size` of them. `name` is for the message where it fails. */
export function streamBytes(name: string, stream: Readable, size: number, close: () => void): Bytes {
  const chunks: AsyncIterator<Buffer, undefined> = stream[Symbol.asyncIterator]()
  let left: Uint8Array = new Uint8Array(0)
  return {
    size,
    async next(to) {
      let filled = 0
      while (filled < to.length) {
        if (left.length === 0) {
          const next = await chunks.next().catch((error: unknown) => {
            throw new Error(`${name} is damaged (${damageOf(error)})`, { cause: error })
          })
          if (next.done === true) break
          left = next.value
        }
        const taken = left.subarray(0, to.length - filled)
        to.set(taken, filled)
        filled += taken.length
        left = left.subarray(taken.length)
      }
      return filled
    },
    close() {
      stream.destroy()
      close()
      return Promise.resolve()
    },
  }
}

/** What a stream may be kept of, to be read anywhere. */
const MOST_KEPT = 1 << 30

/** All bytes that are left, kept in memory; the first is at `start`. */
export async function inMemory(name: string, bytes: Bytes, start: number): Promise<Required<Pick<Bytes, 'at'>>> {
  const size = bytes.size - start
  if (size > MOST_KEPT) throw new Error(`${name} is compressed with its rows apart, and too large to be kept (${size} bytes); expected C order, or no compression (numpy.savez)`)
  const kept = new Uint8Array(size)
  const read = await bytes.next(kept)
  return {
    at(position, to) {
      const part = kept.subarray(position - start, Math.min(read, position - start + to.length))
      to.set(part)
      return Promise.resolve(part.length)
    },
  }
}

/** A file, open for reading. Throws a sentence that names it. */
export async function opened(path: string): Promise<FileHandle> {
  let kind: Stats
  try {
    // Before it is opened: a pipe would wait for somebody who writes
    kind = await stat(path)
    if (kind.isFile()) return await open(path)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT') throw new Error(`there is no file ${path}`, { cause: error })
    throw new Error(`${path} cannot be read (${reasonOf(error)})`, { cause: error })
  }
  throw new Error(kind.isDirectory() ? `${path} is a directory; expected a file` : `${path} is no file; expected one that can be read again and again, not a pipe`)
}

async function fill(file: FileHandle, from: number, to: Uint8Array): Promise<number> {
  let filled = 0
  while (filled < to.length) {
    const { bytesRead } = await file.read(to, filled, to.length - filled, from + filled)
    if (bytesRead === 0) break
    filled += bytesRead
  }
  return filled
}
