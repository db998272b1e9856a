/** Arrays whose numbers lie in another order than they are read in, and bits that only the reader can name. */
import { zipSync } from 'fflate'
import { describe, expect, it } from 'vitest'
import { npyBytes } from '../../../support/npy_files.js'
import { file, readAll } from '../../../support/source_files.js'

/** The numbers 0, 1, 2, ... of C order, kept in Fortran order. */
function backwards(shape: readonly number[]): Float32Array {
  const size = shape.reduce((a, b) => a * b, 1)
  return Float32Array.from({ length: size }, (_, k) => {
    let [place, left, stride] = [0, k, size]
    for (const axis of shape) {
      stride /= axis
      place += (left % axis) * stride
      left = Math.floor(left / axis)
    }
    return place
  })
}

const fortran = (name: string, shape: readonly number[]) => file(name, npyBytes({ descr: '<f4', shape, data: backwards(shape), fortran: true }))
const upTo = (count: number) => Array.from({ length: count }, (_, i) => i)

describe('Fortran order', () => {
  it.each([[[6]], [[6, 1]], [[1, 6]], [[2, 3]], [[2, 3, 4]], [[5, 4, 3, 2]], [[3, 1, 2, 1, 4]], [[70_000, 2, 3]], [[3, 70_000, 2]], [[2, 3, 50_000]]])('with the axes %j', async (shape) => {
    const count = shape.reduce((a, b) => a * b, 1)
    const labels = file('labels.npy', npyBytes({ descr: '|u1', shape, data: Uint8Array.from(backwards(shape), (k) => k % 2), fortran: true }))
    const read = await readAll({ file: fortran('x.npy', shape), targets: labels })
    expect(read.logits).toEqual(upTo(count))
    expect(read.targets).toEqual(upTo(count).map((k) => k % 2))
  })

  it('and classes on any axis', async () => {
    const shape = [4, 3, 2]
    const path = fortran('x.npy', shape)
    const targets = (axes: readonly number[]) => file('t.npy', npyBytes({ descr: '<i4', shape: axes, data: new Int32Array(axes.reduce((a, b) => a * b)) }))
    expect(await readAll({ file: path, targets: targets([4, 2]), classAxis: 1 })).toMatchObject({ classes: 3, logits: upTo(24), shapes: [[4, 3, 2, 1]] })
    const classesLast = upTo(6).flatMap((r) => upTo(4).map((c) => 6 * c + r))
    expect(await readAll({ file: path, targets: targets([3, 2]), classAxis: 0 })).toMatchObject({ classes: 4, logits: classesLast, shapes: [[3, 2, 4, 2]] })
  })

  it('within a compressed archive', async () => {
    const entries = { 'logits.npy': npyBytes({ descr: '<f4', shape: [2, 3], data: backwards([2, 3]), fortran: true }), 'targets.npy': npyBytes({ descr: '<i4', shape: [2], data: Int32Array.of(2, 0) }) }
    expect(await readAll({ file: file('x.npz', zipSync(entries)) })).toMatchObject({ logits: upTo(6), targets: [2, 0] })
  })

  it('says where a file shrinks', async () => {
    const shape = [2, 3, 2]
    const whole = npyBytes({ descr: '<f4', shape, data: backwards(shape), fortran: true })
    await expect(readAll({ file: file('cut.npy', whole.subarray(0, -4)), targets: file('labels.npy', npyBytes({ descr: '|u1', shape, data: new Uint8Array(12) })) })).rejects.toThrow(/cut\.npy is cut off: it has 44 bytes of data; expected 48 for the shape \[2, 3, 2\]$/)
  })
})

it('refuses targets that lie the other way round', async () => {
  const path = file('x.npy', npyBytes({ descr: '<f4', shape: [4, 3], data: new Float32Array(12) }))
  const labels = (shape: number[]) => file('labels.npy', npyBytes({ descr: '|u1', shape, data: new Uint8Array(12) }))
  await expect(readAll({ file: path, targets: labels([3, 4]) })).rejects.toThrow(/labels\.npy has the shape \[3, 4\], which does not go with \[4, 3\] of \S+x\.npy; /)
  expect(await readAll({ file: path, targets: labels([12]) })).toMatchObject({ classes: 3 })
})

describe('bits', () => {
  // 1, -2, 0.15625, the largest number, infinity
  const bits = Uint16Array.of(0x3f80, 0xc000, 0x3e20, 0x7f7f, 0x7f80)
  const numbers = [1, -2, 0.15625, new Float32Array(Uint32Array.of(0x7f7f0000).buffer)[0], Infinity]
  const targets = () => file('y.npy', npyBytes({ descr: '|u1', shape: [5], data: new Uint8Array(5) }))

  it.each(['<V2', '|V2', '<u2'])('of bfloat16 as %s', async (descr) => {
    const path = file('x.npy', npyBytes({ descr, shape: [5], data: bits }))
    expect(await readAll({ file: path, targets: targets(), dtype: 'bfloat16' })).toMatchObject({ logits: numbers, kinds: 'Float32Array, Uint8Array' })
  })

  it('of float16, in either byte order', async () => {
    const path = file('x.npy', npyBytes({ descr: '>u2', shape: [5], data: Buffer.from(Uint16Array.of(0x3c00, 0xc000, 0, 0x3800, 0x7c00).buffer).swap16() }))
    expect((await readAll({ file: path, targets: targets(), dtype: 'float16' })).logits).toEqual([1, -2, 0, 0.5, Infinity])
  })

  it.each([
    ['bits that nobody named', '<V2', undefined, /x\.npy holds raw bytes \(<V2\); expected float16, float32, float64, integers or bool \(--dtype bfloat16 reads what ml_dtypes has written\)$/],
    ['a type for what has one', '<i2', 'bfloat16', /x\.npy holds items of the type <i2; expected bits of 2 bytes, <V2 or <u2, for --dtype bfloat16$/],
  ] as const)('refuses %s', async (_, descr, dtype, message) => {
    await expect(readAll({ file: file('x.npy', npyBytes({ descr, shape: [5], data: bits })), targets: targets(), dtype })).rejects.toThrow(message)
  })
})
