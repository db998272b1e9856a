/** Finds an array in a .npz file, which is a zip archive of .npy files. */
import type { Readable } from 'node:stream'
import * as zlib from 'node:zlib'
import { type Entry, openPromise, type ZipFile } from 'yauzl'
import { namesText } from '../../output/printable.js'
import { type Bytes, fileBytes, opened, streamBytes } from './bytes.js'
import { damageOf, expectLength } from './damage.js'

const STORED = 0

/** The .npy file of the array `wanted`, or of the only array there is. */
export async function npzArray(path: string, wanted: string): Promise<{ readonly name: string; readonly bytes: Bytes }> {
  // Says what is wrong with the path, if anything is
  await (await opened(path)).close()
  let archive: ZipFile
  try {
    archive = await openPromise(path, { autoClose: false })
  } catch (error) {
    throw new Error(`${path} is no .npz file, or a damaged one (${damageOf(error)})`, { cause: error })
  }
  try {
    const entry = await find(path, archive, wanted)
    const name = `${entry.fileName.replace(/\.npy$/, '')} in ${path}`
    if (entry.isEncrypted()) throw new Error(`${name} is encrypted; expected an archive that numpy.savez has written`)
    const damaged = (error: unknown): never => {
      throw new Error(`${name} is damaged (${damageOf(error)})`, { cause: error })
    }
    if (entry.compressionMethod !== STORED) {
      const stream = await unpacked(archive, entry).catch(damaged)
      return { name, bytes: checked(name, entry, streamBytes(name, stream, entry.uncompressedSize, () => archive.close())) }
    }
    // Not compressed, so it is a section of the file
    const { fileDataStart } = await archive.readLocalFileHeaderPromise(entry, { minimal: true }).catch(damaged)
    archive.close()
    return { name, bytes: checked(name, entry, await fileBytes(path, { start: fileDataStart, size: entry.uncompressedSize })) }
  } catch (error) {
    archive.close()
    throw error
  }
}

async function find(path: string, archive: ZipFile, wanted: string): Promise<Entry> {
  const entries: Entry[] = []
  try {
    for await (const entry of archive.eachEntry()) if (entry.fileName.endsWith('.npy')) entries.push(entry)
  } catch (error) {
    throw new Error(`${path} is damaged (${damageOf(error)})`, { cause: error })
  }
  const found = entries.find(({ fileName }) => fileName === `${wanted}.npy`)
  if (found !== undefined) return found
  const names = entries.map(({ fileName }) => fileName.replace(/\.npy$/, ''))
  throw new Error(`${path} has no array ${wanted}; expected one of ${names.length === 0 ? 'its arrays, but it has none' : namesText(names)}`)
}

async function unpacked(archive: ZipFile, entry: Entry): Promise<Readable> {
  expectLength(entry.compressedSize, entry.uncompressedSize, 'deflate')
  return archive.openReadStreamPromise(entry)
}

/** With the checksum of the archive looked at once the last byte has been read in order. */
function checked(name: string, { crc32: expected, uncompressedSize }: Entry, bytes: Bytes): Bytes {
  const { crc32 } = zlib
  // Before Node 20.15 there is none
  if (crc32 === undefined) return bytes
  let [sum, position] = [0, 0]
  return {
    ...bytes,
    async next(to) {
      const read = await bytes.next(to)
      sum = crc32(to.subarray(0, read), sum)
      position += read
      if (position === uncompressedSize && sum !== expected) throw new Error(`${name} is damaged: its checksum is wrong`)
      return read
    },
  }
}
