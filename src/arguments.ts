/** Checks of arguments: each returns what it is given, or throws an error that names it. */
import { outOfRange, pollutedOption, show, unknownOption, wrongType } from './errors.js'

/** An object with options: not an array, not null. */
export function checkRecord(name: string, value: unknown, expected = 'an object with options'): void {
  if (typeof value !== 'object' || value === null || Array.isArray(value) || ArrayBuffer.isView(value)) throw wrongType(name, value, expected)
}

/** Throws for an unknown name, and suggests a similar one; and for what is there because every object has it. */
export function checkNames(given: object, known: ReadonlySet<string>, what: string): void {
  for (const name in given) {
    if (!known.has(name)) throw unknownOption(what, name, [...known])
    if (name in Object.prototype && !Object.hasOwn(given, name)) throw pollutedOption(name)
  }
}

/** An object with these methods: no class that makes such, and nothing else. */
export function checkMethods(name: string, value: unknown, methods: readonly string[], expected = `an object with the methods ${methods.join(' and ')}`): void {
  const has = (of: unknown) => methods.every((method) => typeof (Object(of) as Record<string, unknown>)[method] === 'function')
  if (typeof value === 'function' && has(value.prototype)) {
    throw new TypeError(`${name} is the class ${value.name}; expected an object of it, as new ${value.name}() makes one`)
  }
  if (typeof value !== 'object' || !has(value)) throw wrongType(name, value, expected)
}

/** A loss, known by these of its methods. */
export function checkLossMethods(value: unknown, methods: readonly string[]): void {
  checkMethods('loss', value, methods, 'a loss, such as new SigmoidFocalLoss()')
}

/** A finite number in a closed interval; `Infinity` as an end means there is none. `hint` ends the sentence. */
export function number(name: string, value: unknown, least: number, most: number, hint = ''): number {
  const bound = least === -Infinity ? '' : ` >= ${least}`
  const expected = (most === Infinity ? `a finite number${bound}` : `a number from ${least} to ${most}`) + hint
  if (typeof value !== 'number') throw wrongType(name, value, expected)
  if (!(value >= least && value <= most && Number.isFinite(value))) throw outOfRange(name, value, expected)
  return value
}

/** A finite number above 0. */
export function positiveNumber(name: string, value: unknown): number {
  const expected = 'a finite number > 0'
  if (typeof value !== 'number') throw wrongType(name, value, expected)
  if (!(value > 0 && value < Infinity)) throw outOfRange(name, value, expected)
  return value
}

/** A whole number from 0 to `most`. */
export function wholeNumber(name: string, value: unknown, most: number): number {
  const expected = `a whole number from 0 to ${most}`
  if (typeof value !== 'number') throw wrongType(name, value, expected)
  if (!(Number.isInteger(value) && value >= 0 && value <= most)) throw outOfRange(name, value, expected)
  return value
}

/** Yes or no. */
export function flag(name: string, value: unknown): boolean {
  if (typeof value !== 'boolean') throw wrongType(name, value, 'true or false')
  return value
}

/** One of a few strings. */
export function oneOf<T extends string>(name: string, value: unknown, allowed: readonly T[]): T {
  if (allowed.includes(value as T)) return value as T
  const expected = `one of ${allowed.map(show).join(', ')}`
  throw typeof value === 'string' ? outOfRange(name, value, expected) : wrongType(name, value, expected)
}
