/** Damage to a file: what transfers, disks and other programs do to one, and what an attacker would. */
import type { Random } from '../support/random.js'

/** In headers and cells, and what formats begin with. */
const TEXTS = [
  ...['-1', '1e999', '99999999999999999999', '0', '4294967296', 'nan', 'inf', 'True', '0x1', '1,5', '1,000', '()', '(,)', '{}', '[]', 'null', 'true', '"', '""', '\n', '\r', ',', ';', '\t', ' ', '#', '.', '-', 'é'],
  ...["'<f4'", "'>f8'", "'|O'", "'|V2'", "'<u2'", "'<i8'", "'|b1'", "'>f2'", 'F16', 'BF16', 'BOOL', 'I64', 'U64', 'logits', 'targets', '__metadata__', 'score_0', 'label', 'proba', 'id', 'index_columns', 'y_0'],
  ...['\0', '\xef\xbb\xbf', '\xff\xfe', 'sep=;\n', '\x1f\x8b\x08\0', 'PK\x01\x02', 'PK\x05\x06', '\x93NUMPY\x01\0', 'ARROW1', 'FEA1', 'PAR1', '\xff\xff\xff\xff', '\x04\x22\x4d\x18', '\x28\xb5\x2f\xfd'],
].map((text) => Buffer.from(text, 'latin1'))

const NUMBERS = [0, 1, 2, 3, 7, 8, 15, -1, 127, 128, 255, 256, 2 ** 15, 2 ** 16, 2 ** 24, 2 ** 29, 2 ** 31 - 1, 2 ** 31, 2 ** 32, 2 ** 40]

/** Larger files reach nothing that smaller ones do not. */
const LONGEST = 8192

/** The file after some edits, none of them before the byte `from`. `others` are files of its kind, from which it may take parts. */
export function mutated(random: Random, bytes: Uint8Array, others: readonly Uint8Array[], from: number): Uint8Array {
  let rest = bytes.subarray(from)
  for (let edits = 1 + random.integer(random.integer(6) + 1); edits > 0; edits--) rest = edited(random, rest, others)
  return Buffer.concat([bytes.subarray(0, from), rest.subarray(0, LONGEST)])
}

function edited(random: Random, bytes: Uint8Array, others: readonly Uint8Array[]): Uint8Array {
  const at = placeIn(random, bytes)
  const length = 1 + random.integer(random.pick([2, 8, 64]))
  const replaced = (inserted: Uint8Array, removed: number, begin = at) => Buffer.concat([bytes.subarray(0, begin), inserted, bytes.subarray(begin + removed)])
  switch (random.integer(9)) {
    case 0:
      return replaced(Uint8Array.of(random.integer(256)), 1)
    case 1:
      return replaced(Uint8Array.of(bytes[at] ^ (1 << random.integer(8))), 1)
    case 2: {
      const number = Buffer.alloc(8)
      number.writeBigInt64LE(BigInt(random.pick(NUMBERS)))
      const size = random.pick([2, 4, 8])
      return replaced(random() < 0.2 ? number.subarray(0, size).reverse() : number.subarray(0, size), size)
    }
    case 3: {
      const text = random.pick(TEXTS)
      return replaced(text, random() < 0.5 ? text.length : 0)
    }
    case 4:
      return replaced(new Uint8Array(0), length)
    case 5:
      return replaced(bytes.subarray(at, at + length), 0)
    case 6:
      return random() < 0.3 ? bytes.subarray(0, at) : replaced(bytes.subarray(at, at + length), length, placeIn(random, bytes))
    case 7: {
      const digits = /\d+/.exec(Buffer.from(bytes.subarray(at)).toString('latin1'))
      return digits === null ? bytes : replaced(Buffer.from(String(random.pick(NUMBERS))), digits[0].length, at + digits.index)
    }
    default: {
      const other = random.pick(others)
      const begin = placeIn(random, other)
      return replaced(other.subarray(begin, begin + random.pick([8, 64, LONGEST])), random.pick([0, 8, 64, LONGEST]))
    }
  }
}

/** Mostly near the ends, where headers and footers are. */
function placeIn(random: Random, { length }: Uint8Array): number {
  const [begin, end] = random.pick([[0, 1], [0, 0.1], [0.7, 1]] as const)
  return Math.floor(random.between(begin, end) * length)
}
