/** What other writers put into Parquet files: pandas' index, LZ4, nulls and records. */
import { brotliCompressSync, gzipSync } from 'node:zlib'
import { type SchemaElement } from 'hyparquet'
import { type ColumnSource, parquetWriteBuffer } from 'hyparquet-writer'
import { describe, expect, it } from 'vitest'
import { lz4Block } from '../../../../src/cli/explain/files/lz4.js'
import { zstd } from '../../../../src/cli/explain/files/zstd.js'
import { file, readAll, readNoted } from '../../../support/source_files.js'

const score: ColumnSource = { name: 'score', data: Float64Array.of(-2, 1, -1, 2), type: 'DOUBLE' }
const label: ColumnSource = { name: 'label', data: [0n, 1n, 0n, 1n], type: 'INT64' }
const expected = { classes: 1, logits: [-2, 1, -1, 2], targets: [0, 1, 0, 1] }
const table = (columnData: ColumnSource[], more: Omit<Parameters<typeof parquetWriteBuffer>[0], 'columnData'> = {}) => file('x.parquet', new Uint8Array(parquetWriteBuffer({ columnData, ...more })))

describe("pandas' index", () => {
  const pandas = (index: readonly unknown[]) => ({ kvMetadata: [{ key: 'pandas', value: JSON.stringify({ index_columns: index, pandas_version: '2.2.3' }) }] })

  it.each([
    ['without a name', '__index_level_0__', ['__index_level_0__'], "pandas' index"],
    ['with one', 'when', ['when'], "pandas' index"],
    ['that nothing tells of but its name', '__index_level_0__', [], 'an index, by its name'],
  ])('%s is left out', async (_, name, index, why) => {
    const path = table([score, label, { name, data: [5n, 0n, 3n, 1n], type: 'INT64' }], pandas(index))
    expect(await readNoted({ file: path })).toMatchObject({ ...expected, notes: [`x.parquet: logits from score; targets from label; left out: ${name} (${why})`] })
  })

  it('that is a range is no column', async () => {
    expect(await readNoted({ file: table([score, label], pandas([{ kind: 'range', name: null, start: 0, stop: 4, step: 1 }])) })).toMatchObject({ ...expected, notes: ['x.parquet: logits from score; targets from label'] })
  })
})

function joined(head: readonly number[], input: Uint8Array): Uint8Array {
  return new Uint8Array(Buffer.concat([Uint8Array.from(head), input]))
}

/** One sequence of literals: all that it takes to be an LZ4 block. */
function literals(input: Uint8Array): Uint8Array {
  if (input.length < 15) return joined([input.length << 4], input)
  const rest = input.length - 15
  return joined([0xf0, ...new Uint8Array(Math.floor(rest / 255)).fill(255), rest % 255], input)
}

/** In the framing of Hadoop: sizes before each block, in two blocks. */
function framed(input: Uint8Array): Uint8Array {
  const half = input.length >> 1
  return new Uint8Array(
    Buffer.concat(
      [input.subarray(0, half), input.subarray(half)].flatMap((part) => {
        const sizes = Buffer.alloc(8)
        sizes.writeUInt32BE(part.length, 0)
        sizes.writeUInt32BE(literals(part).length, 4)
        return [sizes, literals(part)]
      }),
    ),
  )
}

describe('LZ4', () => {
  it.each([
    ['LZ4_RAW', literals],
    ['LZ4', framed],
    ['LZ4', literals],
  ] as const)('%s', async (codec, compress) => {
    const long = Array.from({ length: 600 }, (_, i) => Math.sin(i))
    const columns = [{ ...score, data: Float64Array.from(long) }, { ...label, data: long.map((x) => BigInt(x > 0 ? 1 : 0)) }]
    expect(await readAll({ file: table(columns, { codec, compressors: { [codec]: compress } }) })).toMatchObject({ logits: long })
  })

  it.each([
    ['literals alone', [0x30, 97, 98, 99], 'abc'],
    ['a match', [0x34, 97, 98, 99, 3, 0, 0x10, 33], 'abcabcabcab!'],
    ['a match that reaches into itself', [0x1f, 97, 1, 0, 5, 0x10, 98], `${'a'.repeat(25)}b`],
    ['many literals', [0xf0, 1, ...Buffer.from('0123456789abcdef')], '0123456789abcdef'],
  ])('a block with %s', (_, block, text) => {
    expect(Buffer.from(lz4Block(Uint8Array.from(block), text.length)).toString()).toBe(text)
  })

  it.each([
    ['cut off', [0x34, 97, 98, 99, 3], 11, /cut off/],
    ['shorter than announced', [0x30, 97, 98, 99], 4, /another length/],
    ['longer', [0x30, 97, 98, 99], 2, /another length/],
    ['a match before the beginning', [0x14, 97, 2, 0, 0x10, 98], 10, /refers to what is before it/],
  ])('refuses a block that is %s', (_, block, length, message) => {
    expect(() => lz4Block(Uint8Array.from(block), length)).toThrow(message)
  })

  it('and names what is read where a file has another', async () => {
    const path = table([score, label], { codec: 'LZO', compressors: { LZO: literals } })
    await expect(readAll({ file: path })).rejects.toThrow(/^column score of \S+x\.parquet cannot be read \(.*LZO\); expected no compression, Snappy, gzip, Brotli, Zstandard or LZ4$/)
  })
})

describe('pages that say that they hold more, or less, than they do', () => {
  const count = 10_000
  const long = { ...score, data: Float64Array.from({ length: count }, (_, i) => Math.sin(i)) }
  const held = { ...label, data: new Array<bigint>(count).fill(0n) }
  type Codec = 'GZIP' | 'BROTLI' | 'SNAPPY' | 'LZ4' | 'LZ4_RAW' | 'ZSTD'
  /** Of a file whose pages of 8000 bytes and more are what `compress` makes of them. */
  const read = (codec: Codec, compress: (page: Uint8Array) => Uint8Array) => readAll({ file: table([long, held], { codec, compressors: { [codec]: compress } }) })
  const refused = (why: string) => new RegExp(`^column score of \\S+x\\.parquet cannot be read \\(${why}\\)$`)

  /** Ordinary files, whose pages are as they should be, in all that is read. */
  const codecs: [Codec, (page: Uint8Array) => Uint8Array][] = [
    ['GZIP', (page) => new Uint8Array(gzipSync(page))],
    ['BROTLI', (page) => new Uint8Array(brotliCompressSync(page))],
    ['SNAPPY', snappyLiterals],
    ['LZ4', framed],
    ['LZ4', literals],
    ['LZ4_RAW', literals],
    ['ZSTD', zstdFrame],
  ]

  it.each(codecs)('%s: as they should be', async (codec, compress) => {
    expect((await read(codec, compress)).logits).toEqual([...long.data])
  })

  it.each(codecs)('%s: half as much', async (codec, compress) => {
    await expect(read(codec, (page) => compress(page.subarray(0, page.length / 2)))).rejects.toThrow(refused('[^()]+'))
  })

  it.each(codecs)('%s: less by a byte, whatever the last one is', async (codec, compress) => {
    for (const last of [0x00, 0x5a, 0xa5, 0xff]) {
      await expect(read(codec, (page) => compress(page.with(-2, last).subarray(0, -1)))).rejects.toThrow(refused('[^()]+'))
    }
  })

  it.each(codecs)('%s: twice as much', async (codec, compress) => {
    await expect(read(codec, (page) => compress(new Uint8Array(2 * page.length)))).rejects.toThrow(refused('[^()]+'))
  })

  it.each(['LZ4', 'LZ4_RAW', 'SNAPPY'] as const)('%s: there is no memory for what cannot be', async (codec) => {
    await expect(read(codec, () => Uint8Array.of(0))).rejects.toThrow(refused('1 compressed bytes are said to hold 8000'))
  })

  it('ZSTD: there is no memory for what cannot be', async () => {
    await expect(read('ZSTD', () => Uint8Array.of())).rejects.toThrow(refused('0 compressed bytes are said to hold 8000'))
    const frame = zstdFrame(Uint8Array.of(1))
    expect(() => zstd(frame, frame.length * 2 ** 15 + 1)).toThrow(`${frame.length} compressed bytes are said to hold ${frame.length * 2 ** 15 + 1}`)
    expect(() => zstd(frame, -1)).toThrow('are said to hold -1')
    expect(() => zstd(frame, NaN)).toThrow('are said to hold NaN')
  })

  it('ZSTD: a run of one byte is as long as the page, or refused', () => {
    // One block of 5000 times the same byte, of which the frame says nothing (RFC 8878, section 3.1.1.2.2)
    const run = Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x18, ...block(5000, 1), 0xa5)
    expect(zstd(run, 5000)).toEqual(new Uint8Array(5000).fill(0xa5))
    expect(() => zstd(run, 5001)).toThrow(`${run.length} compressed bytes hold fewer than 5001`)
  })

  it.each([
    ['GZIP', gzipSync],
    ['BROTLI', brotliCompressSync],
  ] as const)('%s: no more is unpacked', async (codec, compress) => {
    await expect(read(codec, () => new Uint8Array(compress(new Uint8Array(1e6))))).rejects.toThrow(refused('what it says of its contents makes no sense'))
  })
})

/** The header of the last block of a Zstandard frame: its kind, and how much it makes. */
function block(length: number, kind: number): number[] {
  const bits = (length << 3) | (kind << 1) | 1
  return [bits & 255, (bits >> 8) & 255, bits >> 16]
}

/** A frame that does not say how much it holds, of one block as it is: with a window of 8 MiB. */
function zstdFrame(input: Uint8Array): Uint8Array {
  return joined([0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x68, ...block(input.length, 0)], input)
}

/** All of it as one literal: its length seven bits a byte, then its length less one in three bytes. */
function snappyLiterals(input: Uint8Array): Uint8Array {
  const [length, last] = [input.length, input.length - 1]
  return joined([(length & 127) | 128, ((length >> 7) & 127) | 128, length >> 14, 62 << 2, last & 255, (last >> 8) & 255, last >> 16], input)
}

it('a footer of which any byte is wrong is read, or refused without a word of the engine', async () => {
  const whole = new Uint8Array(parquetWriteBuffer({ columnData: [score, label] }))
  const end = whole.length - 8
  let refused = 0
  for (let at = end - new DataView(whole.buffer).getUint32(end, true); at < end; at++) {
    const read = await readAll({ file: file('x.parquet', whole.with(at, 0xff)) }).catch((error: unknown) => String(error))
    if (typeof read !== 'string') continue
    expect(read).toMatch(/^Error: [^\n]*x\.parquet[^\n]*$/)
    expect(read).not.toMatch(/undefined|is not a function|DataView|array length|BigInt|JSON/)
    if (read.endsWith('is no Parquet file, or a damaged one (what it says of its contents makes no sense)')) refused++
  }
  expect(refused).toBeGreaterThan(2)
})

describe('cells that are no numbers', () => {
  const record: SchemaElement[] = [
    { name: 'root', num_children: 2 },
    { name: 'score', repetition_type: 'REQUIRED', num_children: 1 },
    { name: 'x', type: 'DOUBLE', repetition_type: 'REQUIRED' },
    { name: 'label', type: 'INT32', repetition_type: 'REQUIRED' },
  ]

  it.each([
    ['null', [{ ...score, data: [1.5, null] }, { ...label, data: [0n, 1n] }], undefined, /x\.parquet, row 1: column score holds null; expected a number$/],
    ['text', [{ name: 'score', data: ['a', 'b'] }, { ...label, data: [0n, 1n] }], undefined, /x\.parquet, row 0: column score holds text or bytes; expected a number$/],
    ['a date', [{ name: 'score', data: [new Date(0), new Date(1)], type: 'TIMESTAMP' }, { ...label, data: [0n, 1n] }], undefined, /x\.parquet, row 0: column score holds a date; expected a number$/],
    ['a record', [{ name: 'score', data: [{ x: 1 }, { x: 2 }] }, { name: 'label', data: Int32Array.of(0, 1) }], record, /x\.parquet, row 0: column score holds a record; expected a number$/],
  ] as [string, ColumnSource[], SchemaElement[] | undefined, RegExp][])('%s is named', async (_, columns, schema, message) => {
    await expect(readAll({ file: table(columns, { ...(schema && { schema }) }) })).rejects.toThrow(message)
  })
})
