/** Tensors of .safetensors files, of every type, and what is wrong with damaged ones. */
import { SigmoidFocalLoss } from 'focal-loss'
import { describe, expect, it } from 'vitest'
import { safetensors, withHeader } from '../../../support/safetensors_files.js'
import { file, readAll } from '../../../support/source_files.js'
import { thrownBy } from '../../../support/thrown.js'

const f32 = { dtype: 'F32', shape: [2, 3], data: Float32Array.of(1, -2, 0.5, 3, 0, -1) }
const labels = { dtype: 'BOOL', shape: [2, 3], data: Uint8Array.of(1, 0, 0, 0, 1, 1) }

describe('safetensors', () => {
  it('logits and targets of one file', async () => {
    const path = file('both.safetensors', safetensors({ targets: labels, other: f32, logits: f32 }))
    expect(await readAll({ file: path })).toMatchObject({ classes: 3, logits: [...f32.data], targets: [...labels.data], targetKind: 'labels', shapes: [[2, 3, 1]] })
    expect((await readAll({ file: path, arrays: { logits: 'other', targets: 'targets' }, shape: [3, 2] })).classes).toBe(2)
  })

  it.each([
    ['F64', Float64Array.of(1, -2)],
    ['F16', Uint16Array.of(0x3c00, 0xc000)],
    ['BF16', Uint16Array.of(0x3f80, 0xc000)],
    ['I64', BigInt64Array.of(1n, -2n)],
    ['I32', Int32Array.of(1, -2)],
    ['I16', Int16Array.of(1, -2)],
    ['I8', Int8Array.of(1, -2)],
  ])('%s', async (dtype, data) => {
    const path = file('typed.safetensors', safetensors({ logits: { dtype, shape: [2], data }, targets: { dtype: 'U8', shape: [2], data: Uint8Array.of(1, 0) } }))
    expect(await readAll({ file: path })).toMatchObject({ logits: [1, -2], targets: [1, 0] })
  })

  it.each([
    ['U64', BigUint64Array.of(2n, 0n)],
    ['U32', Uint32Array.of(2, 0)],
    ['U16', Uint16Array.of(2, 0)],
    ['U8', Uint8Array.of(2, 0)],
  ])('class indices of %s', async (dtype, data) => {
    const path = file('indices.safetensors', safetensors({ logits: f32, targets: { dtype, shape: [2], data } }))
    const { targets, logits, targetKind } = await readAll({ file: path })
    expect({ targets, targetKind }).toEqual({ targets: [2, 0], targetKind: 'class-index' })
    expect(new SigmoidFocalLoss().value(Float32Array.from(logits), Int32Array.from(targets))).toBeGreaterThan(0)
  })

  const header = (tensor: object) => withHeader(JSON.stringify({ logits: tensor, targets: tensor }), new Uint8Array(8))
  it.each<[string, Buffer | string, RegExp]>([
    ['no such tensor', safetensors({ scores: f32 }), /\.safetensors has no tensor logits; expected one of scores$/],
    ['no tensor at all', safetensors({}), /has no tensor logits; expected one of its tensors, but it has none$/],
    ['another format', 'hello, this is text', /is no \.safetensors file, or is cut off within its header$/],
    ['next to nothing', 'no', /is no \.safetensors file, or is cut off within its header$/],
    ['no JSON', withHeader('{no'), /has a damaged header; expected JSON$/],
    ['no shape', header({ dtype: 'F32', data_offsets: [0, 8] }), /^logits in \S+ has a damaged header; expected dtype, shape and data_offsets$/],
    ['a shape of fractions', header({ dtype: 'F32', shape: [0.5], data_offsets: [0, 8] }), /has a damaged header/],
    ['an unknown type', header({ dtype: 'F8_E4M3', shape: [8], data_offsets: [0, 8] }), /holds F8_E4M3; expected F16, BF16, F32, F64, integers or BOOL$/],
    ['too few bytes', header({ dtype: 'F32', shape: [3], data_offsets: [0, 8] }), /has 8 bytes of data; expected 12 for F32 of the shape \[3\]$/],
    ['data beyond the end', header({ dtype: 'F32', shape: [200], data_offsets: [0, 800] }), /is cut off: \S+ has \d+ bytes; expected \d+$/],
  ])('%s', async (_, bytes, message) => {
    const path = file('bad.safetensors', bytes)
    const thrown = await thrownBy(() => readAll({ file: path }))
    expect((thrown as Error).message).toMatch(message)
  })

  it('a pickle is refused, with the way out', async () => {
    const thrown = await thrownBy(() => readAll({ file: file('x.pt', '') }))
    expect((thrown as Error).message).toMatch(/x\.pt is a pickle, which may run any code when it is read; expected what safetensors\.torch\.save_file/)
  })
})
