/** Damage to a file: what transfers, disks and other programs do to one, and what an attacker would. */
import fc from 'fast-check'

/** One edit. Places are fractions, so that an edit means something in a file of any length. */
export type Edit =
  | { readonly kind: 'byte'; readonly at: number; readonly value: number }
  | { readonly kind: 'number'; readonly at: number; readonly bytes: 2 | 4 | 8; readonly value: number }
  | { readonly kind: 'text'; readonly at: number; readonly text: string }
  | { readonly kind: 'delete' | 'repeat'; readonly at: number; readonly length: number }
  | { readonly kind: 'cut'; readonly at: number }

/** In headers of .npy and .safetensors files, and in cells of tables. */
const TEXTS = ['-1', '1e999', '99999999999999999999', '0', '()', '(,)', '{}', 'null', 'true', "'<f4'", "'|O'", 'nan', '"', '\n', ',', '\0', '\ufeff', 'é', '[', '}', '-', '.', '\r', ';;']

/** Mostly near the ends, where headers and footers are. */
const place = fc.oneof(fc.double({ min: 0, max: 1, noNaN: true }), fc.double({ min: 0, max: 0.1, noNaN: true }), fc.double({ min: 0.7, max: 1, noNaN: true }))

export const edit: fc.Arbitrary<Edit> = fc.oneof(
  fc.record({ kind: fc.constant('byte' as const), at: place, value: fc.nat(255) }),
  fc.record({ kind: fc.constant('number' as const), at: place, bytes: fc.constantFrom(2, 4, 8), value: fc.constantFrom(0, 1, -1, 127, 128, 2 ** 15, 2 ** 31 - 1, 2 ** 31, 2 ** 40) }),
  fc.record({ kind: fc.constant('text' as const), at: place, text: fc.constantFrom(...TEXTS) }),
  fc.record({ kind: fc.constantFrom('delete' as const, 'repeat' as const), at: place, length: fc.integer({ min: 1, max: 64 }) }),
  fc.record({ kind: fc.constant('cut' as const), at: place }),
)

/** The file with all edits, none of them before the byte `from`. */
export function edited(bytes: Uint8Array, edits: readonly Edit[], from = 0): Uint8Array {
  return Buffer.concat([bytes.subarray(0, from), edits.reduce(withEdit, bytes.subarray(from))])
}

function withEdit(bytes: Uint8Array, change: Edit): Uint8Array {
  const at = Math.floor(change.at * bytes.length)
  const around = (inserted: Uint8Array, removed: number) => Buffer.concat([bytes.subarray(0, at), inserted, bytes.subarray(at + removed)])
  switch (change.kind) {
    case 'byte':
      return around(Uint8Array.of(change.value), 1)
    case 'number': {
      const number = Buffer.alloc(8)
      number.writeBigInt64LE(BigInt(change.value))
      return around(number.subarray(0, change.bytes), change.bytes)
    }
    case 'text':
      return around(Buffer.from(change.text), change.text.length)
    case 'delete':
      return around(new Uint8Array(0), change.length)
    case 'repeat':
      return around(bytes.subarray(at, at + change.length), 0)
    case 'cut':
      return bytes.subarray(0, at)
  }
}
