/** Error messages: the argument, the expected value, the actual value. */

/** A value as an error message shows it: short, and never a dump of an array. */
export function show(value: unknown): string {
  if (typeof value === 'string') return value.length > 40 ? `'${value.slice(0, 40)}...'` : `'${value}'`
  if (typeof value === 'bigint') return `${value}n`
  if (typeof value === 'function') return 'a function'
  if (typeof value === 'symbol') return 'a symbol'
  if (Array.isArray(value)) return `an array of length ${value.length}`
  if (ArrayBuffer.isView(value)) {
    const tag = Object.prototype.toString.call(value).slice('[object '.length, -1)
    return value instanceof DataView ? 'a DataView' : `${withArticle(tag)} of length ${(value as Uint8Array).length}`
  }
  if (typeof value === 'object' && value !== null) return deviceArray(value) ?? instance(value)
  return Object.is(value, -0) ? '-0' : String(value)
}

/** An array on a GPU, which the rest of this file knows nothing of. */
function deviceArray(value: object): string | undefined {
  const { ptr, dtype, length } = value as { readonly ptr?: unknown; readonly dtype?: unknown; readonly length?: unknown }
  return typeof ptr === 'bigint' && typeof dtype === 'string' ? `${dtype.startsWith('i') ? 'an' : 'a'} ${dtype} array of length ${String(length)} on a GPU` : undefined
}

/** `a Tensor`, `a Map`: by its class, unless that has no name or a minified one. No getter of the caller's is run. */
function instance(value: object): string {
  const made: unknown = ownValue(Object.getPrototypeOf(value), 'constructor')
  const name = typeof made === 'function' ? ownValue(made, 'name') : undefined
  return typeof name === 'string' && name !== 'Object' && /^[A-Z]\w{2,}$/.test(name) ? withArticle(name) : 'an object'
}

function ownValue(of: unknown, name: string): unknown {
  return Object.getOwnPropertyDescriptor(Object(of), name)?.value
}

function withArticle(name: string): string {
  return `${/^[AEIO]/.test(name) ? 'an' : 'a'} ${name}`
}

/** The noun for a count. */
export function noun(count: number, one: string, several = `${one}s`): string {
  return count === 1 ? one : several
}

/** `1 class`, `2 classes`. */
export function counted(count: number, one: string, several?: string): string {
  return `${count} ${noun(count, one, several)}`
}

/** `gamma is '2'; expected a finite number >= 0`, for a value of the wrong type. */
export function wrongType(name: string, value: unknown, expected: string): TypeError {
  return new TypeError(`${name} is ${show(value)}; expected ${expected}`)
}

/** `gamma is -1; expected a finite number >= 0`, for a value out of range. */
export function outOfRange(name: string, value: unknown, expected: string): RangeError {
  return new RangeError(`${name} is ${show(value)}; expected ${expected}`)
}

/**
 * Arguments beyond those that a function takes would be ignored, and mean something to who passed them. The functions that people
 * call compare `arguments.length`, which costs nothing.
 */
export function surplus(what: string, most: number, given: number, hint = ''): TypeError {
  return new TypeError(`${what} was given ${counted(given, 'argument')}; expected ${most === 0 ? 'none' : `at most ${most}`}${hint}`)
}

/** The error for an unknown option; suggests a similar name. */
export function unknownOption(what: string, name: string, known: readonly string[]): TypeError {
  const near = nearest(name, known)
  const hint = near === undefined ? `expected one of ${known.join(', ')}` : `did you mean '${near}'?`
  return new TypeError(`'${name}' is not an option of ${what}; ${hint}`)
}

/** An option that nobody gave: a program, or somebody who attacks it, has put it on every object. */
export function pollutedOption(name: string): TypeError {
  return new TypeError(`'${name}' is a property of Object.prototype, so that all options have it; expected none there`)
}

/** A backend that cannot run here. The message says why and what to do. */
export class BackendError extends Error {
  /** Always 'BackendError'. */
  override readonly name = 'BackendError'
}

/** What went wrong, whatever was thrown. */
export function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

/** What other libraries call options that have names here that are not alike. */
const elsewhere: Readonly<Record<string, string>> = {
  applyclassbalancing: 'alpha',
  avgfactor: 'normalizer',
  clip: 'margin',
  fromlogits: 'inputs',
  numpositivessum: 'normalizer',
  sampleweight: 'weights',
  sizeaverage: 'reduction',
}

function nearest(name: string, known: readonly string[]): string | undefined {
  const plain = (text: string) => text.toLowerCase().replace(/[^a-z0-9]/g, '')
  const other = elsewhere[plain(name)]
  if (known.includes(other)) return other
  let best: string | undefined
  let least = 1 + Math.max(1, Math.floor(name.length / 3))
  for (const candidate of known) {
    const [a, b] = [plain(name), plain(candidate)]
    const within = Math.min(a.length, b.length) >= 4 && (a.includes(b) || b.includes(a))
    const distance = within ? 1 : editDistance(a, b)
    if (distance < least) {
      best = candidate
      least = distance
    }
  }
  return best
}

/** Levenshtein's distance, one row of the table at a time. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      const substituted = row[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1)
      next.push(Math.min(substituted, row[j] + 1, next[j - 1] + 1))
    }
    row = next
  }
  return row[b.length]
}
