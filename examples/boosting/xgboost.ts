/** The real XGBoost through its C interface: Debian's `libxgboost-dev`, called by `koffi`. Without either it is a sentence what to install. */
import type koffiModule from 'koffi'

export interface Matrix {
  readonly rows: number
  readonly columns: readonly Float64Array[]
}

/** Derivatives of all rows, in XGBoost's layout: a row's classes beside each other. */
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

export interface XGBoost {
  /** Trains on `train`; `look` sees the margins of `test` after every round. Returns the largest leaf's |value|, rate undone. */
  train(train: Matrix, test: Matrix, training: Training, objective: (margins: Float32Array) => Derivatives, look: (margins: Float32Array) => void): number
}

/** The library, or why it cannot be had. */
export async function loadXGBoost(): Promise<XGBoost | string> {
  let koffi: typeof koffiModule
  try {
    koffi = (await import('koffi')).default
  } catch {
    return 'koffi is not installed: run npm install in the checkout'
  }
  try {
    return bind(koffi, koffi.load('libxgboost.so'))
  } catch {
    return 'libxgboost.so is not installed: on Debian, apt-get install libxgboost-dev'
  }
}

function bind(koffi: typeof koffiModule, library: ReturnType<typeof koffiModule.load>): XGBoost {
  const declare = (declaration: string) => {
    const call = library.func(declaration) as (...given: unknown[]) => number
    return (...given: unknown[]) => {
      if (call(...given) !== 0) throw new Error(`XGBoost: ${(library.func('const char *XGBGetLastError()') as () => string)()}`)
    }
  }
  const matrix = declare('int XGDMatrixCreateFromMat(const float *data, uint64 rows, uint64 columns, float missing, _Out_ void **out)')
  const setInfo = declare('int XGDMatrixSetFloatInfo(void *matrix, const char *field, const float *values, uint64 length)')
  const create = declare('int XGBoosterCreate(void **matrices, uint64 length, _Out_ void **out)')
  const set = declare('int XGBoosterSetParam(void *booster, const char *name, const char *value)')
  const step = declare('int XGBoosterBoostOneIter(void *booster, void *train, float *grad, float *hess, uint64 length)')
  const predict = declare('int XGBoosterPredict(void *booster, void *matrix, int option, unsigned int trees, int training, _Out_ uint64 *length, _Out_ void **out)')
  const free = [declare('int XGBoosterFree(void *booster)'), declare('int XGDMatrixFree(void *matrix)')]
  const made = (make: (out: unknown[]) => void): unknown => {
    const out: unknown[] = [null]
    make(out)
    return out[0]
  }
  const matrixOf = ({ rows, columns }: Matrix, { base, classes }: Training): unknown => {
    const data = Float32Array.from({ length: rows * columns.length }, (_, k) => columns[k % columns.length][Math.floor(k / columns.length)])
    const handle = made((out) => { matrix(data, rows, columns.length, NaN, out) })
    // Predictions start from the same margins that training did
    setInfo(handle, 'base_margin', Float32Array.from({ length: rows * classes }, (_, k) => base[k % base.length]), rows * classes)
    return handle
  }
  const marginsOf = (booster: unknown, handle: unknown): Float32Array => {
    const [length, out]: [number[], unknown[]] = [[0], [null]]
    predict(booster, handle, 1, 0, 0, length, out)
    return Float32Array.from(koffi.decode(out[0], 'float', length[0]) as number[])
  }
  return {
    train(train, test, training, objective, look) {
      const [own, other] = [matrixOf(train, training), matrixOf(test, training)]
      const booster = made((out) => { create([own], 1, out) })
      const parameters = { max_depth: training.depth, eta: training.rate, lambda: 0, min_child_weight: 0, tree_method: 'hist', base_score: 0.5, num_class: training.classes, verbosity: 0, nthread: 1 }
      for (const [name, value] of Object.entries(parameters)) if (name !== 'num_class' || training.classes > 1) set(booster, name, String(value))
      let [before, longest] = [marginsOf(booster, own), 0]
      for (let round = 0; round < training.rounds; round++) {
        const { grad, hess } = objective(before)
        step(booster, own, grad, hess, grad.length)
        const after = marginsOf(booster, own)
        for (let k = 0; k < after.length; k++) longest = Math.max(longest, Math.abs(after[k] - before[k]) / training.rate)
        before = after
        look(marginsOf(booster, other))
      }
      free[0](booster)
      free[1](own)
      free[1](other)
      return longest
    },
  }
}
