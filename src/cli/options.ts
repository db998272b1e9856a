/** Parsers of command options. An invalid value is an error message for commander. */
import { InvalidArgumentError } from 'commander'

/** A list of numbers separated by commas. */
export function listOf(what: string, least: number, most: number, integers = false): (text: string) => number[] {
  return (text) =>
    text.split(',').map((part) => {
      const value = numberOf(part)
      if (!(value >= least && value <= most && Number.isFinite(value) && (!integers || Number.isInteger(value)))) {
        throw new InvalidArgumentError(`'${part}' is no ${what}; expected ${integers ? 'integers' : 'numbers'} >= ${least} between commas.`)
      }
      return value
    })
}

export function parseAlphas(text: string): (number | null)[] {
  const alpha = listOf('alpha', 0, Infinity)
  return text.split(',').flatMap((part) => (part.trim() === 'none' ? [null] : alpha(part)))
}

export function parseInteger(text: string): number {
  const value = numberOf(text)
  if (!Number.isSafeInteger(value)) throw new InvalidArgumentError('expected an integer.')
  return value
}

export function parseIgnored(text: string): number {
  return text.toLowerCase() === 'nan' ? NaN : parseInteger(text)
}

export function parseBackground(text: string): number | 'num-classes' {
  return text === 'num-classes' ? text : parseInteger(text)
}

export function parseLabel(text: string): number {
  const value = numberOf(text)
  if (!(value > 0 && value <= 1)) throw new InvalidArgumentError('expected a number above 0, at most 1.')
  return value
}

export function parseCount(text: string): number {
  const value = parseInteger(text)
  if (!(value >= 0 && value <= 1e6)) throw new InvalidArgumentError('expected an integer from 0 to 1000000.')
  return value
}

export function parseThreads(text: string): number {
  const value = parseInteger(text)
  if (!(value >= 1 && value <= 1024)) throw new InvalidArgumentError('expected an integer from 1 to 1024.')
  return value
}

export function parsePart(text: string): [number, number] {
  const [index, count] = text.split('/').map(numberOf)
  if (!(Number.isInteger(index) && Number.isInteger(count) && index >= 1 && index <= count)) throw new InvalidArgumentError('expected two integers, as 2/4.')
  return [index - 1, count]
}

export function parseNames(text: string): string[] {
  return text.split(',').map((name) => name.trim())
}

export function parseBins(text: string): number | number[] {
  const values = listOf('number', 0, 10_000)(text)
  return values.length === 1 ? values[0] : values
}

function numberOf(text: string): number {
  return text.trim() === '' ? NaN : Number(text)
}

export function parseGamma(text: string): number {
  const value = numberOf(text)
  if (!(value >= 0 && Number.isFinite(value))) throw new InvalidArgumentError('expected a number >= 0.')
  return value
}

/** Not null: commander takes that for an option without a value. */
export function parseAlpha(text: string): number | 'none' {
  return text.trim() === 'none' ? 'none' : parseGamma(text)
}

export function parseTemperature(text: string): number {
  const value = numberOf(text)
  if (!(value > 0 && Number.isFinite(value))) throw new InvalidArgumentError('expected a number > 0.')
  return value
}
