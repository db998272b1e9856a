/** The interface of a boosting library in the comparison; its C functions are called with `koffi`. */
import type koffiModule from 'koffi'

export interface Matrix {
  readonly rows: number
  readonly columns: readonly Float64Array[]
}

/** Derivatives of all rows, in the booster's layout. */
export interface Derivatives {
  readonly grad: Float32Array
  readonly hess: Float32Array
}

export interface Training {
  readonly rounds: number
  readonly classes: number
  readonly rate: number
  readonly depth: number
  /** One per class, or one: the margin that every row starts from. */
  readonly base: ArrayLike<number>
}

export interface Booster {
  readonly name: string
  /** Where margins and derivatives have their classes: `[rows, classes]` is 1, `[classes, rows]` is 0. */
  readonly classAxis: 0 | 1
  /** Trains on `train`; `look` sees the margins of `test` after every round. Returns the longest step of a row in a round, learning rate undone. */
  train(train: Matrix, test: Matrix, training: Training, objective: (margins: Float32Array) => Derivatives, look: (margins: Float32Array) => void): number
}

type Koffi = typeof koffiModule

/** A library's functions, of which each returns 0, or has left a message. */
export interface Library {
  /** Binds a function by its C declaration. What it returns throws where the library says that it failed. */
  readonly declare: (declaration: string) => (...given: unknown[]) => void
  /** The handle that a call writes to the last of its arguments. */
  readonly made: (make: (out: unknown[]) => void) => unknown
  readonly koffi: Koffi
}

/** Opens a library, or says that koffi is missing; throws where there is no such library. */
export async function openLibrary(path: string, lastError: string, name: string): Promise<Library | string> {
  let koffi: Koffi
  try {
    koffi = (await import('koffi')).default
  } catch {
    return 'koffi is not installed: run npm install in the checkout'
  }
  const library = koffi.load(path)
  return {
    koffi,
    declare(declaration) {
      const call = library.func(declaration) as (...given: unknown[]) => number
      return (...given) => {
        if (call(...given) !== 0) throw new Error(`${name}: ${(library.func(`const char *${lastError}()`) as () => string)()}`)
      }
    },
    made(make) {
      const out: unknown[] = [null]
      make(out)
      return out[0]
    },
  }
}

/** A row's columns beside each other. */
export function rowMajor({ rows, columns }: Matrix): Float32Array {
  return Float32Array.from({ length: rows * columns.length }, (_, k) => columns[k % columns.length][Math.floor(k / columns.length)])
}

/** Runs the rounds: `step` grows the trees of one, `margins` are those of the rows trained on. Returns the longest step of a row, learning rate undone. */
export function runRounds({ rounds, rate }: Training, margins: () => Float32Array, step: (before: Float32Array) => void): number {
  let [before, longest] = [margins(), 0]
  for (let round = 0; round < rounds; round++) {
    step(before)
    const after = margins()
    for (let k = 0; k < after.length; k++) longest = Math.max(longest, Math.abs(after[k] - before[k]) / rate)
    before = after
  }
  return longest
}
