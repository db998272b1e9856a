import { endianness } from 'node:os'

/** An array of one axis as numpy.load reads it (format version 1). */
export function npyBytes(array: Float32Array | Uint8Array): Uint8Array {
  const type = array instanceof Float32Array ? `${endianness() === 'LE' ? '<' : '>'}f4` : '|u1'
  const text = `{'descr': '${type}', 'fortran_order': False, 'shape': (${array.length},), }`
  // Numbers begin at a multiple of 64 bytes
  const length = Math.ceil((10 + text.length + 1) / 64) * 64 - 10
  const preamble = Buffer.from([0x93, ...Buffer.from('NUMPY'), 1, 0, length & 0xff, length >> 8])
  return Buffer.concat([preamble, Buffer.from(`${text.padEnd(length - 1)}\n`), Buffer.from(array.buffer, array.byteOffset, array.byteLength)])
}
