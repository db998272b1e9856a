/** The real XGBoost through its C interface: Debian's `libxgboost-dev`. Without it there is a sentence what to install. */
import { type Booster, type Library, type Matrix, openLibrary, rowMajor, runRounds, type Training } from './booster.js'

/** The library, or why it cannot be had. */
export async function loadXGBoost(): Promise<Booster | string> {
  try {
    const library = await openLibrary('libxgboost.so', 'XGBGetLastError', 'XGBoost')
    return typeof library === 'string' ? library : bind(library)
  } catch {
    return 'libxgboost.so is not installed: on Debian, apt-get install libxgboost-dev'
  }
}

function bind({ declare, made, koffi }: Library): Booster {
  const matrix = declare('int XGDMatrixCreateFromMat(const float *data, uint64 rows, uint64 columns, float missing, _Out_ void **out)')
  const setInfo = declare('int XGDMatrixSetFloatInfo(void *matrix, const char *field, const float *values, uint64 length)')
  const create = declare('int XGBoosterCreate(void **matrices, uint64 length, _Out_ void **out)')
  const set = declare('int XGBoosterSetParam(void *booster, const char *name, const char *value)')
  const boost = declare('int XGBoosterBoostOneIter(void *booster, void *train, float *grad, float *hess, uint64 length)')
  const predict = declare('int XGBoosterPredict(void *booster, void *matrix, int option, unsigned int trees, int training, _Out_ uint64 *length, _Out_ void **out)')
  const free = [declare('int XGBoosterFree(void *booster)'), declare('int XGDMatrixFree(void *matrix)')]
  const matrixOf = (data: Matrix, { base, classes }: Training): unknown => {
    const handle = made((out) => { matrix(rowMajor(data), data.rows, data.columns.length, NaN, out) })
    // Predictions start from the same margins that training did
    setInfo(handle, 'base_margin', Float32Array.from({ length: data.rows * classes }, (_, k) => base[k % base.length]), data.rows * classes)
    return handle
  }
  const marginsOf = (booster: unknown, handle: unknown): Float32Array => {
    const [length, out]: [number[], unknown[]] = [[0], [null]]
    predict(booster, handle, 1, 0, 0, length, out)
    return Float32Array.from(koffi.decode(out[0], 'float', length[0]) as number[])
  }
  return {
    name: 'XGBoost',
    classAxis: 1,
    train(train, test, training, objective, look) {
      const [own, other] = [matrixOf(train, training), matrixOf(test, training)]
      const booster = made((out) => { create([own], 1, out) })
      const parameters = { max_depth: training.depth, eta: training.rate, lambda: 0, min_child_weight: 0, tree_method: 'hist', base_score: 0.5, num_class: training.classes, verbosity: 0, nthread: 1 }
      for (const [name, value] of Object.entries(parameters)) if (name !== 'num_class' || training.classes > 1) set(booster, name, String(value))
      const longest = runRounds(training, () => marginsOf(booster, own), (margins) => {
        const { grad, hess } = objective(margins)
        boost(booster, own, grad, hess, grad.length)
        look(marginsOf(booster, other))
      })
      free[0](booster)
      free[1](own)
      free[1](other)
      return longest
    },
  }
}
