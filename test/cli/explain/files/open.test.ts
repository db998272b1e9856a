/** Every file format that `focal-loss explain` reads, and the sentence for everything that is wrong with one. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { brotliCompressSync, gzipSync } from 'node:zlib'
import { type AsyncZippable, zipSync } from 'fflate'
import type { SchemaElement } from 'hyparquet'
import { type ColumnSource, parquetWriteBuffer } from 'hyparquet-writer'
import { describe, expect, it } from 'vitest'
import type { SourceOptions } from '../../../../src/cli/explain/files/files.js'
import { diskFiles } from '../../../../src/cli/explain/files/open.js'
import { openSource } from '../../../../src/cli/explain/files/source.js'
import { npyBytes, npyHeader, rawHeader } from '../../../support/npy_files.js'
import { file, folder, readAll } from '../../../support/source_files.js'
// Written by numpy 2.4, in base64
import numpyFiles from '../../../support/numpy_files.json' with { type: 'json' }

/** Two rows of three classes, exact in half floats, and their class indices. */
const x = [0.5, -1.25, 3, -2, 0, 0.125]
const y = [2, 0]
const logits = npyBytes({ descr: '<f4', shape: [2, 3], data: Float32Array.from(x) })
const indices = npyBytes({ descr: '<i8', shape: [2], data: BigInt64Array.from(y, BigInt) })

describe('.npy', () => {
  it.each([
    { descr: '<f4', data: Float32Array.from(x), kind: 'Float32Array' },
    { descr: '<f8', data: Float64Array.from(x), kind: 'Float64Array' },
    { descr: '<f2', data: Uint16Array.of(0x3800, 0xbd00, 0x4200, 0xc000, 0, 0x3000), kind: 'Float32Array' },
    { descr: '>f4', data: swapped(Float32Array.from(x)), kind: 'Float32Array' },
    { descr: '>f8', data: swapped(Float64Array.from(x)), kind: 'Float64Array' },
    { descr: '>f2', data: swapped(Uint16Array.of(0x3800, 0xbd00, 0x4200, 0xc000, 0, 0x3000)), kind: 'Float32Array' },
  ])('logits of $descr', async ({ descr, data, kind }) => {
    const path = file('logits.npy', npyBytes({ descr, shape: [2, 3], data }))
    const read = await readAll({ file: path, targets: file('targets.npy', indices) })
    expect(read).toEqual({ classes: 3, logits: x, targets: y, kinds: `${kind}, Int32Array`, targetKind: 'class-index', shapes: [[2, 3, 1]], firstRows: [0] })
  })

  it.each([
    { descr: '|i1', data: Int8Array.from(y) },
    { descr: '|u1', data: Uint8Array.from(y) },
    { descr: '<i2', data: Int16Array.from(y) },
    { descr: '<u2', data: Uint16Array.from(y) },
    { descr: '<i4', data: Int32Array.from(y) },
    { descr: '<u4', data: Uint32Array.from(y) },
    { descr: '<i8', data: BigInt64Array.from(y, BigInt) },
    { descr: '<u8', data: BigUint64Array.from(y, BigInt) },
    { descr: '>i2', data: swapped(Int16Array.from(y)) },
    { descr: '>i4', data: swapped(Int32Array.from(y)) },
    { descr: '>i8', data: swapped(BigInt64Array.from(y, BigInt)) },
    { descr: '<f8', data: Float64Array.from(y) },
    { descr: '<f4', data: Float32Array.from(y) },
  ])('targets of $descr', async ({ descr, data }) => {
    const read = await readAll({ file: file('logits.npy', logits), targets: file('targets.npy', npyBytes({ descr, shape: [2], data })) })
    expect(read.targets).toEqual(y)
  })

  it('every half float', async () => {
    const bits = Uint16Array.from({ length: 1 << 16 }, (_, i) => i)
    const path = file('halves.npy', npyBytes({ descr: '<f2', shape: [1 << 16], data: bits }))
    const { logits: singles } = await readAll({ file: path, targets: file('none.npy', npyBytes({ descr: '|b1', shape: [1 << 16], data: new Uint8Array(1 << 16) })) })
    expect([0, 1, 0x3ff, 0x400, 0x3c00, 0x3555, 0x7bff, 0x7c00, 0x8000, 0xfc00].map((i) => singles[i])).toEqual(
      [0, 2 ** -24, 1023 * 2 ** -24, 2 ** -14, 1, 0.333251953125, 65504, Infinity, -0, -Infinity],
    )
    expect(singles.filter(Number.isNaN)).toHaveLength(2 * 1023)
  })

  it('integers and booleans as logits and labels, one to one', async () => {
    const labels = npyBytes({ descr: '|b1', shape: [2, 3], data: Uint8Array.of(1, 0, 0, 0, 1, 1) })
    const whole = npyBytes({ descr: '<i4', shape: [2, 3], data: Int32Array.of(1, -2, 3, 4, 5, 6) })
    const read = await readAll({ file: file('whole.npy', whole), targets: file('labels.npy', labels) })
    expect(read).toMatchObject({ logits: [1, -2, 3, 4, 5, 6], targets: [1, 0, 0, 0, 1, 1], kinds: 'Float64Array, Uint8Array' })
  })

  it.each([2, 3] as const)('version %d of the header', async (version) => {
    const path = file('new.npy', npyBytes({ descr: '<f4', shape: [2, 3], data: Float32Array.from(x), version }))
    expect((await readAll({ file: path, targets: file('targets.npy', indices) })).logits).toEqual(x)
  })

  it('Fortran order, as numpy writes it', async () => {
    const read = await readAll({ file: file('fortran.npy', Buffer.from(numpyFiles['fortran.npy'], 'base64')), targets: file('targets.npy', indices) })
    expect(read).toMatchObject({ logits: x, kinds: 'Float32Array, Int32Array', shapes: [[2, 3, 1]] })
  })

  it('classes on any axis, also the first, and labels with them', async () => {
    const data = Float32Array.from({ length: 24 }, (_, i) => i)
    const path = file('axes.npy', npyBytes({ descr: '<f4', shape: [2, 3, 4], data }))
    const eight = file('eight.npy', npyBytes({ descr: '<i4', shape: [2, 4], data: Int32Array.of(0, 1, 2, 0, 1, 2, 0, 1) }))
    expect(await readAll({ file: path, targets: eight, classAxis: 1 })).toMatchObject({ classes: 3, logits: [...data], shapes: [[2, 3, 4, 1]] })
    expect(await readAll({ file: path, targets: eight, classAxis: -2 })).toMatchObject({ classes: 3, shapes: [[2, 3, 4, 1]] })
    const labels = file('labels.npy', npyBytes({ descr: '|u1', shape: [2, 3, 4], data: Uint8Array.from(data, (i) => i % 2) }))
    const twelve = file('twelve.npy', npyBytes({ descr: '<i4', shape: [3, 4], data: new Int32Array(12) }))
    const first = Array.from({ length: 12 }, (_, r) => [r, 12 + r]).flat()
    expect(await readAll({ file: path, targets: twelve, classAxis: 0 })).toMatchObject({ classes: 2, logits: first, shapes: [[3, 4, 2, 2]] })
    expect(await readAll({ file: path, targets: labels, classAxis: -3 })).toMatchObject({ logits: first, targets: first.map((i) => i % 2) })
    // [C, N] in Fortran order is [N, C] in C order
    const columns = file('columns.npy', npyBytes({ descr: '<f4', shape: [3, 2], data: Float32Array.from(x), fortran: true }))
    expect(await readAll({ file: columns, targets: file('targets.npy', indices), classAxis: 0 })).toMatchObject({ logits: x, shapes: [[2, 3, 1]] })
  })

  it('a shape that is told', async () => {
    const flat = file('flat.npy', npyBytes({ descr: '<f4', shape: [6], data: Float32Array.from(x) }))
    const targets = file('targets.npy', indices)
    expect(await readAll({ file: flat, targets, shape: [2, 3] })).toMatchObject({ classes: 3, logits: x, targets: y })
    expect((await readAll({ file: flat, targets, shape: [3, 2], classAxis: 0 })).logits).toEqual([0.5, 3, 0, -1.25, -2, 0.125])
    expect(await readAll({ file: file('two.npy', logits), targets: file('six.npy', npyBytes({ descr: '|u1', shape: [6], data: Uint8Array.of(1, 0, 0, 0, 0, 1) })) })).toMatchObject({
      targets: [1, 0, 0, 0, 0, 1],
      kinds: 'Float32Array, Uint8Array',
    })
  })

  it('in chunks, with the row that each begins with', async () => {
    const data = Float32Array.from({ length: 700_000 }, (_, i) => i)
    const targets = Int32Array.from({ length: 100_000 }, (_, i) => i % 7)
    const path = file('long.npy', npyBytes({ descr: '<f4', shape: [100_000, 7], data }))
    const read = await readAll({ file: path, targets: file('many.npy', npyBytes({ descr: '<i4', shape: [100_000], data: targets })) })
    expect(read.logits).toEqual([...data])
    expect(read.targets).toEqual([...targets])
    expect(read.firstRows).toEqual([0, 37449, 74898])
    const backwards = file('backwards.npy', npyBytes({ descr: '<f4', shape: [7, 100_000], data }))
    const turned = await readAll({ file: backwards, targets: file('many.npy', npyBytes({ descr: '<i4', shape: [100_000], data: targets })), classAxis: 0 })
    expect([turned.logits[1], turned.logits[7 * 99_999], turned.firstRows.length]).toEqual([100_000, 99_999, 3])
  })

  it('nothing', async () => {
    const empty = file('empty.npy', npyBytes({ descr: '<f4', shape: [0, 3], data: new Float32Array(0) }))
    const none = file('none.npy', npyBytes({ descr: '<i4', shape: [0], data: new Int32Array(0) }))
    expect(await readAll({ file: empty, targets: none })).toMatchObject({ classes: 3, logits: [], targets: [] })
  })
})

describe('.npz', () => {
  it.each(['savez.npz', 'savez_compressed.npz'] as const)('of numpy: %s', async (name) => {
    const read = await readAll({ file: file(name, Buffer.from(numpyFiles[name], 'base64')) })
    expect(read).toMatchObject({ classes: 3, logits: x, targets: y, kinds: 'Float32Array, Int32Array' })
  })

  it('with arrays of other names, and larger than a buffer', async () => {
    const data = Float64Array.from({ length: 300_000 }, (_, i) => Math.sin(i))
    const zip: AsyncZippable = { 'scores.npy': npyBytes({ descr: '<f8', shape: [300_000], data }), 'truth.npy': npyBytes({ descr: '|b1', shape: [300_000], data: new Uint8Array(300_000).fill(1) }) }
    for (const level of [0, 6] as const) {
      const path = file('large.npz', zipSync(zip, { level }))
      const read = await readAll({ file: path, arrays: { logits: 'scores', targets: 'truth' } })
      expect(read.logits).toEqual([...data])
      expect(read.targets.every((each) => each === 1)).toBe(true)
    }
  })

  it('in Fortran order where it is not compressed', async () => {
    const entries = { 'logits.npy': npyBytes({ descr: '<f4', shape: [2, 3], data: Float32Array.of(0.5, -2, -1.25, 0, 3, 0.125), fortran: true }), 'targets.npy': indices }
    expect((await readAll({ file: file('stored.npz', zipSync(entries, { level: 0 })) })).logits).toEqual(x)
  })
})

describe('.csv and .tsv', () => {
  const rows = '0.5,-1.25,3,2\n-2,0,0.125,0\n'

  it.each([
    ['without a header, the last column being the target', 'a.csv', rows, {}],
    ['with a header', 'b.csv', `a,b,c,Label\n${rows}`, {}],
    ['with the target in front', 'c.csv', 'target,a,b,c\n2,0.5,-1.25,3\n0,-2,0,0.125\n', {}],
    ['with columns chosen by name', 'd.csv', `a,b,c,y\n${rows}`, { columns: ['a', 'b', 'c'], targetColumns: ['y'] }],
    ['with columns chosen by place', 'e.csv', '9,0.5,-1.25,3,2\n9,-2,0,0.125,0\n', { columns: ['2', '3', '4'] }],
    ['with quotes, blanks, empty lines and Windows line ends', 'f.csv', '\ufeff"a", b,c,target\r\n"0.5", -1.25,3,2\r\n\r\n-2,0,1.25e-1,0\r\n', {}],
    ['with tabs', 'g.tsv', `a,b,c,target\n${rows}`.replaceAll(',', '\t'), {}],
  ])('%s', async (_, name, content, choice) => {
    expect(await readAll({ file: file(name, content), ...choice })).toEqual({
      classes: 3,
      logits: x,
      targets: y,
      kinds: 'Float64Array, Int32Array',
      targetKind: 'class-index',
      shapes: [[2, 3, 1]],
      firstRows: [0],
    })
  })

  it('with labels for each logit, infinities, and targets elsewhere', async () => {
    const path = file('soft.csv', 'x1,x2,y1,y2\n1,-inf,0,1\nInfinity,2,0.5,0\n')
    expect(await readAll({ file: path, targetColumns: ['y1', 'y2'] })).toMatchObject({ classes: 2, logits: [1, -Infinity, Infinity, 2], targets: [0, 1, 0.5, 0] })
    const alone = file('x.csv', '0.5,-1.25,3\n-2,0,0.125\n')
    expect(await readAll({ file: alone, targets: file('targets.npy', indices) })).toMatchObject({ logits: x, targets: y })
    expect(await readAll({ file: file('logits.npy', logits), targets: file('y.csv', 'class\n2\n0\n') })).toMatchObject({ logits: x, targets: y })
  })

  it('in chunks', async () => {
    const lines = Array.from({ length: 300_000 }, (_, i) => `${i},${i % 2}`)
    const read = await readAll({ file: file('long.csv', lines.join('\n')) })
    expect(read).toMatchObject({ classes: 1, firstRows: [0, 262_144] })
    expect(read.logits[299_999]).toBe(299_999)
    expect(read.targets.reduce((a, b) => a + b)).toBe(150_000)
  }, 30_000)
})

describe('.parquet', () => {
  const columns: ColumnSource[] = [
    { name: 'a', data: Float32Array.of(0.5, -2), type: 'FLOAT' },
    { name: 'b', data: Float64Array.of(-1.25, 0), type: 'DOUBLE' },
    { name: 'c', data: [3, 0.125], type: 'DOUBLE', nullable: false },
    { name: 'target', data: [2n, 0n], type: 'INT64' },
  ]
  const expected = { classes: 3, logits: x, targets: y, kinds: 'Float64Array, Int32Array', targetKind: 'class-index', shapes: [[2, 3, 1]], firstRows: [0] }

  it.each([
    ['SNAPPY', undefined],
    ['UNCOMPRESSED', undefined],
    ['GZIP', (input: Uint8Array) => gzipSync(input)],
    ['BROTLI', (input: Uint8Array) => brotliCompressSync(input)],
    ['ZSTD', zstdFrame],
  ] as const)('compressed by %s', async (codec, compress) => {
    const bytes = parquetWriteBuffer({ columnData: columns, codec, ...(compress && { compressors: { [codec]: compress } }) })
    expect(await readAll({ file: file('table.parquet', new Uint8Array(bytes)) })).toEqual(expected)
  })

  it('with columns chosen by name and by place', async () => {
    const path = file('named.parquet', new Uint8Array(parquetWriteBuffer({ columnData: columns.map((column) => ({ ...column, name: `${column.name}!` })) })))
    expect(await readAll({ file: path, columns: ['1', 'b!', 'c!'], targetColumns: ['target!'] })).toEqual(expected)
  })

  it('with a column of lists', async () => {
    const bytes = listTable([x.slice(0, 3), x.slice(3)], y)
    expect(await readAll({ file: file('lists.parquet', bytes) })).toEqual(expected)
  })

  it('of many row groups, and of none', async () => {
    const data = Float32Array.from({ length: 400_000 }, (_, i) => i)
    const write = (count: number) =>
      new Uint8Array(
        parquetWriteBuffer({
          columnData: [{ name: 'x', data: data.subarray(0, count), type: 'FLOAT' }, { name: 'target', data: Array.from({ length: count }, (_, i) => i % 2 === 1), type: 'BOOLEAN' }],
          rowGroupSize: 90_000,
        }),
      )
    const read = await readAll({ file: file('groups.parquet', write(400_000)) })
    expect(read.logits).toEqual([...data])
    expect(read.targets.slice(-2)).toEqual([0, 1])
    expect(await readAll({ file: file('groups.parquet', write(0)) })).toMatchObject({ classes: 1, logits: [] })
  })
})

describe('what is wrong is one sentence', () => {
  const good = { logits, indices }
  mkdirSync(join(folder, 'folder.npy'))
  const two = Float32Array.of(1, 2)
  const zip = (entries: Record<string, Uint8Array>) => zipSync(entries)
  const damaged = zipSync({ 'logits.npy': npyBytes({ descr: '<f4', shape: [5000], data: Float32Array.from({ length: 5000 }, (_, i) => Math.sin(i)) }), 'targets.npy': npyBytes({ descr: '|u1', shape: [5000], data: new Uint8Array(5000) }) })
  damaged.fill(0xff, 2000, 2200)
  const stored = zipSync({ 'logits.npy': logits, 'targets.npy': indices }, { level: 0 })
  stored[190] ^= 1
  const moved = Buffer.from(stored)
  moved[0] = 0
  const cutOff = zipSync({ 'logits.npy': npyBytes({ descr: '<f4', shape: [5000], data: new Float32Array(5000).fill(1) }), 'targets.npy': indices })
  cutOff.fill(0xff, 60, 80)
  const swollen = zip({ 'logits.npy': npyBytes({ descr: '<f4', shape: [2, 3], data: Float32Array.from(x), fortran: true }) })
  // What the directory says that the first entry holds
  new DataView(swollen.buffer).setUint32(Buffer.from(swollen).indexOf('PK\x01\x02') + 24, 2 ** 29, true)
  const table = (columnData: ColumnSource[]) => new Uint8Array(parquetWriteBuffer({ columnData }))
  // The number of rows, a field of 64 bits (0x16) before the list of row groups (0x19), 2 as 3
  const shortTable = Buffer.from(table([{ name: 'x', data: [1.5, -2] }, { name: 'target', data: [0, 1] }]))
  shortTable[shortTable.indexOf(Buffer.of(0x16, 4, 0x19)) + 1] = 6

  it.each<[what: string, files: Record<string, string | Uint8Array>, options: Partial<SourceOptions>, message: RegExp]>([
    ['no such file', {}, { file: 'nowhere.npy', targets: 'y.npy' }, /^there is no file \S+nowhere\.npy$/],
    ['a folder', {}, { file: 'folder.npy', targets: 'y.npy' }, /folder\.npy is a directory; expected a file$/],
    ['no ending', { scores: '1' }, { file: 'scores' }, /scores ends in nothing; expected \.npy, \.npz, \.safetensors, \.csv, \.tsv, \.txt \(these three also compressed, \.csv\.gz\), \.parquet, \.arrow or \.feather$/],
    ['another ending', { 'x.pkl': '1' }, { file: 'x.pkl' }, /x\.pkl ends in \.pkl; expected \.npy/],
    ['an .npy file without targets', { 'x.npy': good.logits }, { file: 'x.npy' }, /x\.npy holds one array; expected --targets with the file of the other$/],
    ['text named .npy', { 'x.npy': 'hello, world' }, { file: 'x.npy', targets: 'x.npy' }, /one array/],
    ['no .npy inside', { 'x.npy': 'hello, world', 'y.npy': good.indices }, { file: 'x.npy', targets: 'y.npy' }, /x\.npy is no \.npy file; expected one that numpy\.save has written$/],
    ['an empty file', { 'x.npy': '', 'y.npy': good.indices }, { file: 'x.npy', targets: 'y.npy' }, /x\.npy is cut off within its header$/],
    ['half a header', { 'x.npy': good.logits.subarray(0, 60), 'y.npy': good.indices }, { file: 'x.npy', targets: 'y.npy' }, /x\.npy is cut off within its header$/],
    ['a header of another version', { 'x.npy': rawHeader('{}', 9), 'y.npy': good.indices }, { file: 'x.npy', targets: 'y.npy' }, /has version 9 of the \.npy format; expected 1, 2 or 3$/],
    ['a header without an end', { 'x.npy': Buffer.concat([rawHeader('{}', 2).subarray(0, 8), Buffer.of(0, 0, 0, 127)]), 'y.npy': good.indices }, { file: 'x.npy', targets: 'y.npy' }, /has a header of 2130706432 bytes, so it is damaged; expected about 100$/],
    ['a header that says nothing', { 'x.npy': rawHeader('{}', 1), 'y.npy': good.indices }, { file: 'x.npy', targets: 'y.npy' }, /has a damaged header; expected 'descr', 'fortran_order' and 'shape' in it$/],
    ['a shape of no integers', { 'x.npy': rawHeader("{'descr': '<f4', 'fortran_order': False, 'shape': (2.5,)}", 1), 'y.npy': good.indices }, { file: 'x.npy', targets: 'y.npy' }, /has a damaged header; expected a shape of integers, not \(2\.5,\)$/],
    ['records', { 'x.npy': rawHeader("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (2,)}", 1), 'y.npy': good.indices }, { file: 'x.npy', targets: 'y.npy' }, /holds records of several fields; expected plain numbers$/],
    ['complex numbers', { 'x.npy': npyBytes({ descr: '<c8', shape: [1], data: two }), 'y.npy': good.indices }, { file: 'x.npy', targets: 'y.npy' }, /holds complex numbers \(<c8\); expected float16, float32, float64, integers or bool$/],
    ['objects', { 'x.npy': npyBytes({ descr: '|O', shape: [1], data: two }), 'y.npy': good.indices }, { file: 'x.npy', targets: 'y.npy' }, /holds Python objects \(\|O\); expected/],
    ['text', { 'x.npy': npyBytes({ descr: '<U2', shape: [1], data: two }), 'y.npy': good.indices }, { file: 'x.npy', targets: 'y.npy' }, /holds text \(<U2\); expected/],
    ['long doubles', { 'x.npy': npyBytes({ descr: '<f16', shape: [1], data: new Float64Array(2) }), 'y.npy': good.indices }, { file: 'x.npy', targets: 'y.npy' }, /holds floats of an unusual size \(<f16\); expected/],
    ['data cut off', { 'x.npy': good.logits.subarray(0, -1), 'y.npy': good.indices }, { file: 'x.npy', targets: 'y.npy' }, /x\.npy is cut off: it has 23 bytes of data; expected 24 for the shape \[2, 3\]$/],
    ['Fortran order and a shape', { 'x.npy': npyBytes({ descr: '<f4', shape: [1, 2], data: two, fortran: true }), 'y.npy': good.indices }, { file: 'x.npy', targets: 'y.npy', shape: [2, 1] }, /expected C order \(numpy\.ascontiguousarray\), as --shape is given$/],
    ['a shape of another size', { 'x.npy': good.logits, 'y.npy': good.indices }, { file: 'x.npy', targets: 'y.npy', shape: [2, 4] }, /x\.npy has 6 numbers, in the shape \[2, 3\]; expected 8 for --shape 2,4$/],
    ['a class axis too large', { 'x.npy': good.logits, 'y.npy': good.indices }, { file: 'x.npy', targets: 'y.npy', classAxis: 2 }, /--class-axis is 2; expected an integer from -2 to 1 for \S+x\.npy$/],
    ['targets that do not fit', { 'x.npy': good.logits, 'y.npy': npyBytes({ descr: '<i4', shape: [5], data: new Int32Array(5) }) }, { file: 'x.npy', targets: 'y.npy' }, /y\.npy has the shape \[5\], which does not go with \[2, 3\] of \S+x\.npy; expected one target for each logit or the index of a class for each row$/],
    ['fractional indices', { 'x.npy': good.logits, 'y.npy': npyBytes({ descr: '<f4', shape: [2], data: Float32Array.of(1, 0.5) }) }, { file: 'x.npy', targets: 'y.npy' }, /y\.npy has the target 0\.5 in row 1; expected the index of a class, as the logits are \[rows, 3\]$/],
    ['no zip', { 'x.npz': 'hello' }, { file: 'x.npz' }, /x\.npz is no \.npz file, or a damaged one \(/],
    ['no such array', { 'x.npz': zip({ 'a.npy': good.logits, 'b.npy': good.indices }) }, { file: 'x.npz' }, /x\.npz has no array logits; expected one of a, b$/],
    ['no array at all', { 'x.npz': zip({ 'a.txt': Buffer.from('hello') }) }, { file: 'x.npz' }, /x\.npz has no array logits; expected one of its arrays, but it has none$/],
    ['damaged data in a zip', { 'x.npz': damaged }, { file: 'x.npz' }, /^logits in \S+x\.npz is damaged \(/],
    ['an archive that would take up much memory', { 'x.npz': swollen }, { file: 'x.npz' }, /^logits in \S+x\.npz is damaged \(\d+ compressed bytes are said to hold 536870912\)$/],
    ['damaged data that is stored', { 'x.npz': stored }, { file: 'x.npz' }, /^logits in \S+x\.npz is damaged: its checksum is wrong$/],
    ['an entry that is not where the archive says', { 'x.npz': moved }, { file: 'x.npz' }, /^logits in \S+x\.npz is damaged \(/],
    ['a name with control characters', { 'x.csv': 'a\x1b[31m,target\n\x07,1\n' }, { file: 'x.csv', columns: ['a'] }, /has no column a; expected one of a\\x1b\[31m, target, or a number from 1 to 2$/],
    ['a cell with control characters', { 'x.csv': 'a,target\n\x07\x1b,1\n' }, { file: 'x.csv' }, /column 1 is '\\x07\\x1b'; expected a number$/],
    ['damaged compression', { 'x.npz': cutOff }, { file: 'x.npz' }, /^logits in \S+x\.npz is damaged \(/],
    ['an empty table', { 'x.csv': '' }, { file: 'x.csv' }, /x\.csv is empty; expected lines of numbers$/],
    ['a word', { 'x.csv': 'a,target\n1,0\n2,no\n' }, { file: 'x.csv' }, /x\.csv, line 3: column 2 is 'no'; expected a number$/],
    ['an empty cell', { 'x.csv': 'a,target\n1,0\n,1\n' }, { file: 'x.csv' }, /x\.csv, line 3: column 1 is empty; expected a number$/],
    ['a short line', { 'x.csv': '1,0\n2\n' }, { file: 'x.csv' }, /x\.csv, line 2: there are 1 cell; expected 2, as in the first line$/],
    ['an open quote', { 'x.csv': '1,0\n"2,0\n' }, { file: 'x.csv' }, /x\.csv is no proper table \(/],
    ['no target', { 'x.csv': 'a,b\n1,2\n' }, { file: 'x.csv' }, /x\.csv has no column target; expected --target-columns with one of a, b$/],
    ['one column', { 'x.csv': '1\n2\n' }, { file: 'x.csv' }, /x\.csv has one column; expected logits and a target beside them, or --targets with another file$/],
    ['no such column', { 'x.csv': 'a,target\n1,2\n' }, { file: 'x.csv', columns: ['b'] }, /x\.csv has no column b; expected one of a, target, or a number from 1 to 2$/],
    ['columns that do not match', { 'x.csv': 'a,b,c,d,e\n1,2,3,4,5\n' }, { file: 'x.csv', columns: ['a', 'b', 'c'], targetColumns: ['d', 'e'] }, /x\.csv has 2 columns of targets; expected 1, the index of a class, or 3, one for each logit$/],
    ['a shape of a table', { 'x.csv': '1,0\n' }, { file: 'x.csv', shape: [1, 1] }, /--shape or --class-axis is given for \S+x\.csv; expected neither, as every line of a table is a row$/],
    ['fewer targets', { 'x.csv': '1,2\n3,4\n', 'y.csv': '1\n' }, { file: 'x.csv', targets: 'y.csv' }, /y\.csv has fewer rows than \S+x\.csv; expected as many \(--header, if a first line of numbers is one\)$/],
    ['more targets', { 'x.csv': '1,2\n3,4\n', 'y.csv': '1\n0\n1\n' }, { file: 'x.csv', targets: 'y.csv' }, /y\.csv has more rows than \S+x\.csv; expected as many \(--header, if a first line of numbers is one\)$/],
    ['fewer rows in row groups than the file says', { 'x.parquet': shortTable }, { file: 'x.parquet' }, /x\.parquet is damaged: its row groups hold 2 rows; expected 3$/],
    ['no Parquet', { 'x.parquet': 'hello, I am no such file' }, { file: 'x.parquet' }, /x\.parquet is no Parquet file, or a damaged one \(/],
    ['text in Parquet', { 'x.parquet': table([{ name: 'x', data: ['a', 'b'] }, { name: 'target', data: [0, 1] }]) }, { file: 'x.parquet' }, /x\.parquet, row 0: column x holds text or bytes; expected a number$/],
    ['nothing in Parquet', { 'x.parquet': table([{ name: 'x', data: [1.5, null], type: 'DOUBLE' }, { name: 'target', data: [0, 1] }]) }, { file: 'x.parquet' }, /x\.parquet, row 1: column x holds null; expected a number$/],
    ['ragged lists in Parquet', { 'x.parquet': listTable([[1, 2], [3]], [0, 1]) }, { file: 'x.parquet' }, /x\.parquet, row 1: column logits has 1 number; expected 2, as in the first row$/],
  ])('%s', async (_, files, options, message) => {
    for (const [name, content] of Object.entries(files)) file(name, content)
    const at = (name?: string) => (name === undefined ? undefined : join(folder, name))
    const outcome = await readAll({ ...options, file: at(options.file) ?? '', targets: at(options.targets) }).then(
      () => 'no error',
      (error: unknown) => (error as Error).message,
    )
    expect(outcome).toMatch(message)
    expect(outcome).not.toContain('\n')
  })

  it('also where a file shrinks while it is read', async () => {
    const path = file('shrinking.npy', Buffer.concat([npyHeader({ descr: '<f4', shape: [400_000] }), Buffer.alloc(1_600_000)]))
    const targets = file('zeros.npy', npyBytes({ descr: '|u1', shape: [400_000], data: new Uint8Array(400_000) }))
    const source = await openSource(diskFiles, { file: path, targets, arrays: { logits: 'logits', targets: 'targets' } })
    await source.read()
    writeFileSync(path, 'gone')
    await expect(source.read()).rejects.toThrow(/shrinking\.npy has become shorter while it was read$/)
    await source.close()
  })
})

/** A Parquet file with a column of lists, and one of class indices. */
function listTable(lists: readonly (readonly number[])[], classes: readonly number[]): Uint8Array {
  const schema: SchemaElement[] = [
    { name: 'root', num_children: 2 },
    { name: 'logits', repetition_type: 'OPTIONAL', num_children: 1, converted_type: 'LIST' },
    { name: 'list', repetition_type: 'REPEATED', num_children: 1 },
    { name: 'element', type: 'FLOAT', repetition_type: 'OPTIONAL' },
    { name: 'label', type: 'INT32', repetition_type: 'REQUIRED' },
  ]
  return new Uint8Array(parquetWriteBuffer({ columnData: [{ name: 'logits', data: [...lists] }, { name: 'label', data: Int32Array.from(classes) }], schema }))
}

/** A Zstandard frame of one block that is not compressed: all that it takes to be read as one (RFC 8878, section 3.1). */
function zstdFrame(input: Uint8Array): Uint8Array {
  const header = Buffer.alloc(12)
  header.writeUInt32LE(0xfd2fb528)
  // One segment, its length in four bytes; then the block's length, above the mark of the last
  header[4] = 0xa0
  header.writeUInt32LE(input.length, 5)
  header.writeUIntLE((input.length << 3) | 1, 9, 3)
  return new Uint8Array(Buffer.concat([header, input]))
}

/** The same numbers in the other byte order. */
function swapped(array: ArrayBufferView & { BYTES_PER_ELEMENT: number }): Buffer {
  const bytes = Buffer.from(array.buffer.slice(0))
  if (array.BYTES_PER_ELEMENT === 2) return bytes.swap16()
  return array.BYTES_PER_ELEMENT === 4 ? bytes.swap32() : bytes.swap64()
}
