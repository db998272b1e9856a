/** Good files of every format that the command line reads, for {@link ./mutate.ts} to damage. */
import { gzipSync } from 'node:zlib'
import { zipSync } from 'fflate'
import { parquetWriteBuffer } from 'hyparquet-writer'
import type { SourceOptions } from '../../src/cli/explain/files/files.js'
import arrowFiles from '../support/arrow_files.json' with { type: 'json' }
import { npyBytes } from '../support/npy_files.js'
import { safetensors } from '../support/safetensors_files.js'

export interface Seed {
  /** The file's name, whose ending says how it is read. */
  readonly name: string
  readonly bytes: Uint8Array
  /** Where damage may begin, in bytes from the start. */
  readonly from?: number
  readonly options?: Partial<SourceOptions>
}

const ROWS = 40
const logits = Float32Array.from({ length: 3 * ROWS }, (_, i) => 5 * Math.sin(i))
const labels = Uint8Array.from(logits, (x) => (x > 1 ? 1 : 0))
const classes = BigInt64Array.from({ length: ROWS }, (_, i) => BigInt(i % 3))
const singles = npyBytes({ descr: '<f4', shape: [ROWS, 3], data: logits })
const indices = npyBytes({ descr: '<i8', shape: [ROWS], data: classes })

const numbers = Array.from({ length: ROWS }, (_, i) => i)
const rows = numbers.map((i) => [logits[3 * i], logits[3 * i + 1], logits[3 * i + 2], classes[i]].join())
const table = ['score_0,score_1,score_2,label', ...rows].join('\n')
const column = (k: number) => ({ name: `score_${k}`, type: 'FLOAT' as const, data: Float32Array.from(numbers, (i) => logits[3 * i + k]) })
const columns = [column(0), column(1), column(2), { name: 'label', type: 'INT64' as const, data: [...classes] }]
const parquet = (codec: 'UNCOMPRESSED' | 'SNAPPY', kvMetadata?: { key: string; value: string }[]) =>
  new Uint8Array(parquetWriteBuffer({ columnData: columns, codec, rowGroupSize: 16, kvMetadata }))
/** A damaged page may keep hyparquet 1.31.5 busy for minutes, so the pages stay whole: what describes them is damaged. */
const footer = (bytes: Uint8Array) => bytes.length - 8 - Buffer.from(bytes).readUInt32LE(bytes.length - 8)
const parquetSeed = (name: string, bytes: Uint8Array): Seed => ({ name, bytes, from: footer(bytes) })

export const seeds: readonly Seed[] = [
  { name: 'single.npy', bytes: singles },
  { name: 'double.npy', bytes: npyBytes({ descr: '>f8', shape: [ROWS, 3], data: Float64Array.from(logits), version: 2 }) },
  { name: 'half.npy', bytes: npyBytes({ descr: '<f2', shape: [3, ROWS], data: new Uint16Array(3 * ROWS).fill(0x3c00), fortran: true }), options: { classAxis: 0 } },
  { name: 'boxes.npy', bytes: npyBytes({ descr: '<f4', shape: [3, ROWS / 4, 4], data: logits, fortran: true }), options: { classAxis: 0 } },
  { name: 'turned.npz', bytes: zipSync({ 'logits.npy': npyBytes({ descr: '<f4', shape: [3, ROWS], data: logits }), 'targets.npy': indices }), options: { classAxis: 0 } },
  { name: 'bits.npy', bytes: npyBytes({ descr: '|V2', shape: [3 * ROWS], data: new Uint16Array(3 * ROWS).fill(0x3f80) }), options: { shape: [ROWS, 3], dtype: 'bfloat16' } },
  { name: 'stored.npz', bytes: zipSync({ 'logits.npy': [singles, { level: 0 }], 'targets.npy': [indices, { level: 0 }] }) },
  { name: 'compressed.npz', bytes: zipSync({ 'logits.npy': singles, 'targets.npy': indices }) },
  {
    name: 'tensors.safetensors',
    bytes: safetensors({ logits: { dtype: 'F32', shape: [ROWS, 3], data: logits }, targets: { dtype: 'BOOL', shape: [ROWS, 3], data: labels } }),
  },
  { name: 'table.csv', bytes: Buffer.from(table) },
  { name: 'table.tsv', bytes: Buffer.from(table.replaceAll(',', '\t').replaceAll('\n', '\r\n')) },
  { name: 'quoted.txt', bytes: Buffer.from(table.replace(/[^,\n]+/g, '"$&"').replaceAll(',', ' ; ')) },
  { name: 'untitled.csv', bytes: Buffer.from(rows.join('\n')) },
  { name: 'pandas.csv', bytes: Buffer.from(table.split('\n').map((row, i) => `${i === 0 ? '' : i - 1},${row}`).join('\n')), options: { missing: true } },
  { name: 'blanks.txt', bytes: Buffer.from(`# ${table.replaceAll(',', ' ')}`) },
  { name: 'chances.csv', bytes: Buffer.from(rows.map((_, i) => `0.5,${i % 2 === 0 ? '0.25,0.25' : '0.125,0.375'},${i % 3}`).join('\n')), options: { inputs: 'probabilities', perRow: true, header: false } },
  { name: 'table.csv.gz', bytes: gzipSync(table) },
  parquetSeed('plain.parquet', parquet('UNCOMPRESSED')),
  { name: 'file.arrow', bytes: Buffer.from(arrowFiles.file, 'base64') },
  { name: 'stream.arrows', bytes: Buffer.from(arrowFiles.stream, 'base64') },
  { name: 'lz4.feather', bytes: Buffer.from(arrowFiles.feather, 'base64') },
  { name: 'lists.arrow', bytes: Buffer.from(arrowFiles.kinds.fixed, 'base64'), options: { missing: true } },
  { name: 'list.arrow', bytes: Buffer.from(arrowFiles.kinds.list, 'base64'), options: { missing: true } },
  { name: 'dictionary.arrow', bytes: Buffer.from(arrowFiles.kinds.dictionary, 'base64'), options: { missing: true } },
  { name: 'zstd.arrow', bytes: Buffer.from(arrowFiles.zstd, 'base64') },
  parquetSeed('snappy.parquet', parquet('SNAPPY')),
  parquetSeed('pandas.parquet', parquet('UNCOMPRESSED', [{ key: 'pandas', value: '{"index_columns": ["score_1", {"kind": "range"}]}' }])),
]

/** The targets of files that hold logits alone. */
export const targetsFile: Seed = { name: 'indices.npy', bytes: indices }
