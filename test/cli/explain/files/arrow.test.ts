/** Arrow IPC files, streams and Feather as pyarrow writes them, and what is wrong with damaged ones. */
import { describe, expect, it } from 'vitest'
import found from '../../../support/arrow_files.json' with { type: 'json' }
import { file, readAll } from '../../../support/source_files.js'
import { thrownBy } from '../../../support/thrown.js'

const bytesOf = (base64: string) => new Uint8Array(Buffer.from(base64, 'base64'))
const written = (name: string, base64: string) => file(name, bytesOf(base64))

const logits = Array.from({ length: 10 }, (_, i) => ((i * 7) % 11) / 4 - 1)
const targets = logits.map((_, i) => (i % 3) % 2)

describe('Arrow', () => {
  it.each([
    ['a file', 'x.arrow', found.file],
    ['a stream', 'x.arrows', found.stream],
    ['Feather 2, which is compressed', 'x.feather', found.feather],
  ])('%s', async (_, name, base64) => {
    // id is an index, by its name
    expect(await readAll({ file: written(name, base64) })).toMatchObject({ classes: 1, logits, targets, targetKind: 'labels' })
  })

  it.each([
    ['float16', [0.5, -2, 1.25, 3], [1, 0, 1, 0]],
    ['float64', [0.5, -2, 1.25, 3], [1, 0, 1, 0]],
    ['int8', [1, 2, 0, 3], [1, 0, 1, 0]],
    ['uint32', [1, 2, 0, 3], [1, 0, 1, 0]],
    ['int64', [1, 2, 0, 3], [1, 0, 1, 0]],
    ['decimal', [0.5, -2, 1.25, 3], [1, 0, 1, 0]],
    ['dictionary', [0.5, -2, 0.5, -2], [1, 0, 1, 0]],
  ] as const)('%s', async (kind, expected, labels) => {
    expect(await readAll({ file: written('kind.arrow', found.kinds[kind]) })).toMatchObject({ logits: expected, targets: labels })
  })

  it.each(['list', 'fixed', 'large'] as const)('lists (%s), and a target that is null', async (kind) => {
    const path = written('lists.arrow', found.kinds[kind])
    const read = await readAll({ file: path, missing: true })
    expect(read).toMatchObject({ classes: 3, targets: [0, 2, 1, 0, 0, 2], targetKind: 'class-index' })
    expect(read.logits).toEqual(Array.from({ length: 6 }, (_, i) => [i / 4, i === 0 ? 0 : -i / 2, 1.5]).flat())
    expect(String(await thrownBy(() => readAll({ file: path })))).toMatch(/lists\.arrow has no target in row 4 /)
  })

  it.each(['lz4', 'zstd'] as const)('%s, of several blocks', async (codec) => {
    const read = await readAll({ file: written('big.arrow', found[codec]) })
    expect(read.logits).toEqual(Array.from({ length: 40_000 }, (_, i) => (i % 8) / 2 - 2))
    expect(read.targets).toEqual(Array.from({ length: 40_000 }, (_, i) => (i % 5 === 0 ? 1 : 0)))
  })

  it('no rows', async () => {
    expect(await readAll({ file: written('empty.arrow', found.empty) })).toMatchObject({ logits: [], targets: [] })
  })

  it.each([
    ['text', found.text, /^Error: column logit of .*bad\.arrow holds no numbers; expected integers, floats, booleans or lists of them$/],
    ['dates', found.dates, /^Error: column logit of .*bad\.arrow holds no numbers/],
    ['lists of several lengths', found.ragged, /bad\.arrow, row 1: column logits has 1 number; expected 2, as in the first row$/],
    ['the first version of Feather', found.feather1, /bad\.arrow is no Arrow file, or a damaged one \(it is of version 1 of Feather; expected version 2, as pyarrow\.feather\.write_feather writes\)$/],
    ['something else', Buffer.from('logit,label\n1,0\n').toString('base64'), /bad\.arrow is no Arrow file, or a damaged one \(there is no message at byte 0\)$/],
    ['nothing', '', /bad\.arrow is no Arrow file, or a damaged one \(it does not begin with a schema\)$/],
  ])('%s: one sentence', async (_, base64, message) => {
    const path = written('bad.arrow', base64)
    expect(String(await thrownBy(() => readAll({ file: path })))).toMatch(message)
  })

  it.each([
    ['a file', found.file],
    ['a stream', found.stream],
    ['compressed', found.zstd],
  ])('%s that is cut off anywhere is no shorter file', async (_, base64) => {
    const whole = bytesOf(base64)
    for (let size = 1; size < whole.length; size += 37) {
      const path = file('cut.arrow', whole.subarray(0, size))
      const read = await readAll({ file: path }).catch((error: unknown) => String(error))
      // A stream may end after any message, and then has the batches before
      if (typeof read === 'string') expect(read).toMatch(/^Error: .*cut\.arrow is no Arrow file, or a damaged one \([^\n]*\)$/)
      else expect([0, 3, 6, 9, 10, 40_000]).toContain(read.logits.length)
    }
  })

  it.each([
    ['a file', found.file],
    ['a stream', found.stream],
    ['compressed', found.lz4],
    ['lists', found.kinds.list],
    ['a dictionary', found.kinds.dictionary],
  ])('%s, any of whose numbers is far too large, is read or refused', async (_, base64) => {
    const whole = bytesOf(base64)
    // Of the larger ones the descriptions, not the data
    const end = Math.min(whole.length, 1200)
    let refused = 0
    for (let at = 8; at + 4 <= end; at += 4) {
      const damaged = whole.slice()
      new DataView(damaged.buffer).setUint32(at, 0x7fff_ffff, true)
      const path = file('count.arrow', damaged)
      const read = await readAll({ file: path, missing: true }).catch((error: unknown) => String(error))
      if (typeof read !== 'string') continue
      expect(read).toMatch(/^Error: [^\n]*count\.arrow[^\n]*$/)
      // The engine's words
      expect(read).not.toMatch(/DataView|typed array|undefined|is not a function/)
      if (/a list of 2147483647 items is in a message of \d+ bytes/.test(read)) refused++
    }
    expect(refused).toBeGreaterThan(2)
  })

  it('the engine says nothing of what it came upon', async () => {
    // Offsets that lead out of the message
    const whole = bytesOf(found.stream).fill(0x7f, 8, 40)
    expect(String(await thrownBy(() => readAll({ file: file('lost.arrow', whole) })))).toMatch(/lost\.arrow is no Arrow file, or a damaged one \(what it says of its contents makes no sense\)$/)
  })

  it('a batch that says that it has more rows than it has', async () => {
    const whole = bytesOf(found.file)
    // The length of the batch and of its columns: 10, as 64-bit integers
    const view = new DataView(whole.buffer)
    for (let at = 8; at + 8 <= whole.length; at++) if (view.getBigInt64(at, true) === 10n && at > 400) view.setBigInt64(at, 1000n, true)
    expect(String(await thrownBy(() => readAll({ file: file('more.arrow', whole) })))).toMatch(/more\.arrow is no Arrow file, or a damaged one \(.*\)$/)
  })
})
