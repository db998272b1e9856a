/**
 * The sum over a star of connections: rank 0 adds up what all ranks send, in stretches, and sends the sums back. It adds in double
 * precision and in the order of the ranks, as `sharedCollective` does, so all ranks get the same bits and the two agree.
 */
import { tagOf } from '../../../arrays/intrinsics.js'
import { differentArrays } from '../collective.js'
import type { Link, Message } from './link.js'

type Numbers = Float64Array | Float32Array

/** Numbers of an array that are added up in one go, so that rank 0 needs no memory for whole arrays of others. */
const STRETCH = 1 << 16

/** Rank 0's part: `links[r - 1]` leads to rank r. */
export async function reduceAsFirst(array: Numbers, links: readonly Link[]): Promise<void> {
  const [own, ...others] = [describe(array), ...(await Promise.all(links.map((link) => link.hear())))]
  others.forEach((other, index) => {
    if (other.type === own.type && other.length === own.length) return
    throw differentArrays(own, other, index + 1)
  })
  await Promise.all(links.map((link) => link.tell({ agreed: true })))
  const received = array.slice(0, STRETCH)
  const sums = new Float64Array(received.length)
  for (const stretch of stretchesOf(array)) {
    const length = stretch.length
    for (let k = 0; k < length; k++) sums[k] = 0 + stretch[k]
    for (const link of links) {
      await link.readNumbers(bytesOf(received.subarray(0, length)))
      for (let k = 0; k < length; k++) sums[k] += received[k]
    }
    stretch.set(sums.subarray(0, length))
    await Promise.all(links.map((link) => link.sendNumbers(bytesOf(stretch))))
  }
}

/** The part of every other rank: `link` leads to rank 0. */
export async function reduceAsOther(array: Numbers, link: Link): Promise<void> {
  await link.tell(describe(array))
  const send = async () => {
    for (const stretch of stretchesOf(array)) await link.sendNumbers(bytesOf(stretch))
  }
  const receive = async () => {
    await link.hear()
    for (const stretch of stretchesOf(array)) await link.readNumbers(bytesOf(stretch))
  }
  // At once: neither end may wait for the other to read
  await Promise.all([send(), receive()])
}

const describe = (array: Numbers): Message => ({ type: tagOf(array), length: array.length })

const bytesOf = (array: Numbers) => new Uint8Array(array.buffer, array.byteOffset, array.byteLength)

function* stretchesOf(array: Numbers): Iterable<Numbers> {
  for (let from = 0; from < array.length; from += STRETCH) yield array.subarray(from, from + STRETCH)
}
