/** Writes .safetensors files: as the library does, and as it would not. */

export interface TensorWritten {
  readonly dtype: string
  readonly shape: readonly number[]
  readonly data: ArrayBufferView
}

export function safetensors(tensors: Readonly<Record<string, TensorWritten>>): Buffer {
  let at = 0
  const header = Object.fromEntries(
    Object.entries(tensors).map(([name, { dtype, shape, data }]) => [name, { dtype, shape, data_offsets: [at, (at += data.byteLength)] }]),
  )
  return withHeader(JSON.stringify({ __metadata__: { format: 'pt' }, ...header }), ...Object.values(tensors).map(({ data }) => data))
}

/** With this text for a header. */
export function withHeader(text: string, ...data: ArrayBufferView[]): Buffer {
  // Padded with blanks to a multiple of 8, as writers do
  const header = Buffer.from(text.padEnd(Math.ceil(text.length / 8) * 8))
  const length = Buffer.alloc(8)
  length.writeBigUInt64LE(BigInt(header.length))
  return Buffer.concat([length, header, ...data.map(({ buffer, byteOffset, byteLength }) => Buffer.from(buffer as ArrayBuffer, byteOffset, byteLength))])
}
