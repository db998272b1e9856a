/** What numbers mean: targets that are missing, labels or class indices, probabilities. */
import { parquetWriteBuffer } from 'hyparquet-writer'
import { describe, expect, it } from 'vitest'
import { npyBytes } from '../../../support/npy_files.js'
import { file, readAll, readNoted } from '../../../support/source_files.js'

const halves = npyBytes({ descr: '<f4', shape: [3], data: Float32Array.of(0.5, 0.5, 0.5) })
const nan = npyBytes({ descr: '<f8', shape: [3], data: Float64Array.of(0, 1, NaN) })

describe('targets that are missing', () => {
  const table = (missing: string) => `score,label\n0.5,0\n0.5,1\n0.5,${missing}\n`
  const parquet = new Uint8Array(parquetWriteBuffer({ columnData: [{ name: 'score', data: [0.5, 0.5, 0.5], type: 'DOUBLE' }, { name: 'label', data: [0, 1, null], type: 'INT32' }] }))
  const kinds = [
    ...['', 'NaN', 'nan', 'NA', 'null', 'None', '#N/A', '<NA>'].map((missing) => [`'${missing}' in text`, 'x.csv', table(missing), undefined] as const),
    ['null in Parquet', 'x.parquet', parquet, undefined] as const,
    ['NaN in .npy', 'x.npy', halves, nan] as const,
  ]

  it.each(kinds)('are left out where that is said: %s', async (_, name, content, targets) => {
    const options = { file: file(name, content), ...(targets && { targets: file('y.npy', targets) }) }
    expect(await readAll({ ...options, missing: true })).toMatchObject({ logits: [0.5, 0.5, 0.5], targets: [0, 1, 0], mask: [1, 1, 0] })
    await expect(readAll(options)).rejects.toThrow(/has no target in row 2 \(NaN, null or an empty cell\); expected a number, or --ignore-index NaN, which leaves such targets out$/)
  })

  it('among class indices, and in rows of labels', async () => {
    const path = file('x.csv', 'a,b,label\n1,2,1\n3,4,\n5,6,0\n')
    expect(await readAll({ file: path, missing: true })).toMatchObject({ targets: [1, 0, 0], mask: [1, 0, 1], kinds: 'Float64Array, Int32Array' })
    const rows = file('y.csv', 'a,b,label_0,label_1\n1,2,1,\n3,4,0,1\n')
    expect(await readAll({ file: rows, missing: true })).toMatchObject({ targets: [1, 0, 0, 1], mask: [1, 0, 1, 1] })
    expect(await readAll({ file: rows, missing: true, perRow: true })).toMatchObject({ targets: [1, 0, 0, 1], mask: [0, 1] })
    await expect(readAll({ file: rows })).rejects.toThrow(/y\.csv has no target in row 0 /)
  })
})

describe('labels or class indices of one class', () => {
  const text = file('one.csv', 'score,label\n1,0\n2,1\n')
  const floats = file('floats.csv', 'score,label\n1,0.0\n2,1.0\n')
  const booleans = file('booleans.csv', 'score,label\n1,False\n2,True\n')
  const logits = file('two.npy', npyBytes({ descr: '<f4', shape: [2], data: Float32Array.of(1, 2) }))
  const long = file('long.npy', npyBytes({ descr: '<i8', shape: [2], data: BigInt64Array.of(0n, 1n) }))
  const double = file('double.npy', npyBytes({ descr: '<f8', shape: [2], data: Float64Array.of(0, 1) }))

  it('integers are indices where there is a background; anything else, and without one, labels', async () => {
    const indices = { targets: [0, 1], targetKind: 'class-index', kinds: expect.stringContaining('Int32Array') as string }
    const labels = { targets: [0, 1], targetKind: 'labels', kinds: expect.stringMatching(/, (Float64|Uint8)Array$/) as string }
    for (const options of [{ file: text }, { file: logits, targets: long }]) {
      expect(await readAll({ ...options, indexed: true })).toMatchObject(indices)
      expect(await readAll(options)).toMatchObject(labels)
      expect(await readAll({ ...options, indexed: true, targetKind: 'labels' })).toMatchObject(labels)
      expect(await readAll({ ...options, targetKind: 'class-index' })).toMatchObject(indices)
    }
    for (const options of [{ file: floats }, { file: booleans }, { file: logits, targets: double }]) {
      expect(await readAll({ ...options, indexed: true })).toMatchObject(labels)
      expect(await readAll({ ...options, targetKind: 'class-index' })).toMatchObject(indices)
    }
  })

  it('which of them is said, unless the command line has said it', async () => {
    const said = (kind: string) => ['one.csv: logits from score; targets from label', `warning: targets of one.csv are read as ${kind} (--target-kind says which they are)`]
    expect((await readNoted({ file: text, indexed: true })).notes).toEqual(said('class indices, being integers'))
    expect((await readNoted({ file: floats, indexed: true })).notes).toContain('warning: targets of floats.csv are read as labels, being no integers (--target-kind says which they are)')
    for (const options of [{}, { indexed: true, targetKind: 'labels' }] as const) expect((await readNoted({ file: text, ...options })).notes).toEqual(['one.csv: logits from score; targets from label'])
  })

  it('what is said must fit', async () => {
    const rows = file('rows.csv', 'a,b,label\n1,2,1\n')
    const each = file('each.csv', 'a,b,label_0,label_1\n1,2,1,0\n')
    await expect(readAll({ file: rows, targetKind: 'labels' })).rejects.toThrow(/rows\.csv has a target for each row; expected one for each logit, as --target-kind is labels$/)
    await expect(readAll({ file: each, targetKind: 'class-index' })).rejects.toThrow(/each\.csv has a target for each logit; expected one for each row, as --target-kind is class-index$/)
  })
})

describe('probabilities', () => {
  const logit = (p: number) => Math.log(p / (1 - p))

  it('become logits; of a softmax, by the row', async () => {
    const path = file('p.csv', 'proba_0,proba_1,label\n0.25,0.75,1\n0.5,0.5,0\n')
    const read = await readNoted({ file: path, inputs: 'probabilities' })
    const question = 'p.csv has a class index per row: say --loss softmax if the model ends in a softmax'
    expect(read.notes).toEqual(['p.csv: logits from proba_0, proba_1; targets from label', question])
    for (const known of [{ perRow: true }, { indexed: true }]) expect((await readNoted({ file: path, inputs: 'probabilities', ...known })).notes).toHaveLength(1)
    read.logits.forEach((x, i) => expect(x).toBeCloseTo(logit([0.25, 0.75, 0.5, 0.5][i]), 14))
    const { logits } = await readAll({ file: path, inputs: 'probabilities', perRow: true })
    logits.forEach((x, i) => expect(x).toBeCloseTo(Math.log([0.25, 0.75, 0.5, 0.5][i]), 14))
  })

  it('of 0 and 1, and a rounding step beyond, are the nearest inside', async () => {
    const path = file('p.npy', npyBytes({ descr: '<f4', shape: [4], data: Float32Array.of(0, 1, 1.0000001192092896, 0.5) }))
    const targets = file('y.npy', npyBytes({ descr: '|u1', shape: [4], data: Uint8Array.of(1, 0, 1, 0) }))
    const { logits } = await readAll({ file: path, targets, inputs: 'probabilities' })
    expect(logits).toEqual([Math.log(2 ** -149), logit(1 - 2 ** -24), logit(1 - 2 ** -24), 0].map((x) => expect.closeTo(x, 6) as number))
  })

  it.each([
    ['no probability', 'proba,label\n0.5,1\n1.5,0\n', false, /p\.csv has the probability 1\.5 in row 1; expected a number from 0 to 1$/],
    ['NaN', 'proba,label\n0.5,1\nnan,0\n', false, /p\.csv has the probability NaN in row 1; /],
    ['rows that are none', 'a,b,label\n0.5,0.5,1\n0.99,0.5,0\n', true, /p\.csv has probabilities that sum to 1\.49 in row 1; expected 1, as they are those of the classes of a softmax$/],
  ])('refuses %s', async (_, content, perRow, message) => {
    await expect(readAll({ file: file('p.csv', content), inputs: 'probabilities', perRow })).rejects.toThrow(message)
  })

  it('come before logits where they are asked for', async () => {
    expect((await readNoted({ file: file('p.csv', 'logit,proba,label\n2,0.88,1\n-2,0.12,0\n'), inputs: 'probabilities' })).notes).toEqual(['p.csv: logits from proba; targets from label; left out: logit (as there is proba)'])
  })
})
