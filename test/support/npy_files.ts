/** Writes .npy files: as numpy does, and as it would not. */

export interface NpyWritten {
  readonly descr: string
  readonly shape: readonly number[]
  readonly data: ArrayBufferView
  readonly fortran?: boolean
  readonly version?: 1 | 2 | 3
}

export function npyBytes({ descr, shape, data, fortran = false, version = 1 }: NpyWritten): Buffer {
  return Buffer.concat([npyHeader({ descr, shape, fortran, version }), Buffer.from(data.buffer, data.byteOffset, data.byteLength)])
}

export function npyHeader({ descr, shape, fortran = false, version = 1 }: Omit<NpyWritten, 'data'>): Buffer {
  const sizes = shape.length === 1 ? `${shape[0]},` : shape.join(', ')
  const text = `{'descr': '${descr}', 'fortran_order': ${fortran ? 'True' : 'False'}, 'shape': (${sizes}), }`
  return rawHeader(text, version)
}

/** A header with this text, padded as the format wants it. */
export function rawHeader(text: string, version: number): Buffer {
  const lengthBytes = version === 1 ? 2 : 4
  const unpadded = 8 + lengthBytes + text.length + 1
  const padded = `${text}${' '.repeat(Math.ceil(unpadded / 64) * 64 - unpadded)}\n`
  const preamble = Buffer.alloc(8 + lengthBytes)
  preamble.write('\x93NUMPY', 'latin1')
  preamble[6] = version
  preamble.writeUIntLE(padded.length, 8, lengthBytes)
  return Buffer.concat([preamble, Buffer.from(padded, 'latin1')])
}
