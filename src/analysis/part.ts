/** Results of parts of the data, as plain data that goes through JSON: what they have in common. */
import { checkRecord } from '../arguments.js'
import { outOfRange, wrongType } from '../errors.js'

/** What every part says of itself. */
export interface Part {
  /** What it is a part of. */
  readonly kind: 'evaluation' | 'explanation'
  /** Of this form of it. */
  readonly version: 1
  /** The loss, its name and those options that its numbers depend on: parts of another one do not add up. */
  readonly loss: string
}

export function describeLoss(name: string, options: object): string {
  const ofNumbers = Object.entries(options).filter(([option]) => option !== 'reduction' && option !== 'backend')
  return JSON.stringify({ name, ...Object.fromEntries(ofNumbers) }, (_, value: unknown) => (Number.isNaN(value) ? 'NaN' : value))
}

/** Throws for what is no such part, or is of another loss. */
export function checkPart<P extends Part>(part: P, kind: P['kind'], loss: string): void {
  checkRecord('part', part)
  if (part.kind !== kind) throw wrongType('part.kind', part.kind, `'${kind}', as state() returns it`)
  // What was written by another version of the package
  if ((part.version as number) !== 1) throw outOfRange('part.version', part.version, '1')
  if (part.loss !== loss) throw new RangeError(`part is of the loss ${part.loss}; expected ${loss}`)
}

/** The arrays of a part, which a file may have lost or mixed up: throws unless `value` is a list, as long as `length` says, whose entries are all right. */
export function checkList(name: string, value: unknown, expected: string, isRight: (entry: unknown) => boolean, length?: number): asserts value is readonly unknown[] {
  const what = `an array of ${length === undefined ? '' : `${length} `}${expected}`
  if (!Array.isArray(value)) throw wrongType(name, value, what)
  if (length !== undefined && value.length !== length) throw outOfRange(name, value, what)
  const bad = value.findIndex((entry) => !isRight(entry))
  if (bad >= 0) throw outOfRange(`${name}[${bad}]`, value[bad], expected)
}

/** A finite number that is not negative: a count, a sum of weights, losses or gradients. */
export function isAmount(value: unknown): value is number {
  return typeof value === 'number' && value >= 0 && value < Infinity
}
