/** The real LightGBM through its C interface: the library of its Python package. Without it there is a sentence what to install. */
import { spawnSync } from 'node:child_process'
import { type Booster, type Library, type Matrix, openLibrary, rowMajor, runRounds, type Training } from './booster.js'

// As LightGBM's c_api.h numbers them
const [FLOAT32, FLOAT64] = [0, 1]
const [TRAIN, TEST] = [0, 1]

/** The library, or why it cannot be had. Python is `FOCAL_LOSS_PYTHON`, else python3. */
export async function loadLightGBM(): Promise<Booster | string> {
  const python = process.env.FOCAL_LOSS_PYTHON ?? 'python3'
  const { stdout } = spawnSync(python, ['-c', "import importlib.util as u; print(u.find_spec('lightgbm').submodule_search_locations[0])"], { encoding: 'utf8' })
  try {
    const library = await openLibrary(`${stdout.trim()}/lib/lib_lightgbm.so`, 'LGBM_GetLastError', 'LightGBM')
    return typeof library === 'string' ? library : bind(library)
  } catch {
    return `lib_lightgbm.so is not installed: ${python} -m pip install lightgbm==4.7.0, where FOCAL_LOSS_PYTHON names the Python of a virtual environment`
  }
}

function bind({ declare, made }: Library): Booster {
  const dataset = declare('int LGBM_DatasetCreateFromMat(const float *data, int type, int rows, int columns, int row_major, const char *parameters, void *reference, _Out_ void **out)')
  const setField = declare('int LGBM_DatasetSetField(void *dataset, const char *field, const void *values, int length, int type)')
  const create = declare('int LGBM_BoosterCreate(void *dataset, const char *parameters, _Out_ void **out)')
  const addValid = declare('int LGBM_BoosterAddValidData(void *booster, void *dataset)')
  const boost = declare('int LGBM_BoosterUpdateOneIterCustom(void *booster, const float *grad, const float *hess, _Out_ int *finished)')
  const predict = declare('int LGBM_BoosterGetPredict(void *booster, int data, _Out_ int64 *length, _Out_ double *out)')
  const free = [declare('int LGBM_BoosterFree(void *booster)'), declare('int LGBM_DatasetFree(void *dataset)')]
  const datasetOf = (data: Matrix, { base, classes }: Training, parameters: string, reference: unknown): unknown => {
    const { rows, columns } = data
    const handle = made((out) => { dataset(rowMajor(data), FLOAT32, rows, columns.length, 1, parameters, reference, out) })
    setField(handle, 'label', new Float32Array(rows), rows, FLOAT32)
    // One class after another
    setField(handle, 'init_score', Float64Array.from({ length: rows * classes }, (_, k) => base[Math.floor(k / rows)]), rows * classes, FLOAT64)
    return handle
  }
  return {
    name: 'LightGBM',
    classAxis: 0,
    train(train, test, training, objective, look) {
      const { classes, depth, rate } = training
      const parameters = Object.entries({ objective: 'none', num_class: classes, max_depth: depth, num_leaves: 2 ** depth, learning_rate: rate, lambda_l2: 0, verbosity: -1, num_threads: 1, deterministic: true })
        .map((each) => each.join('=')).join(' ')
      const own = datasetOf(train, training, parameters, null)
      const other = datasetOf(test, training, parameters, own)
      const booster = made((out) => { create(own, parameters, out) })
      addValid(booster, other)
      const marginsOf = (data: number, rows: number): Float32Array => {
        const scores = new Float64Array(rows * classes)
        predict(booster, data, [0], scores)
        return Float32Array.from(scores)
      }
      const longest = runRounds(training, () => marginsOf(TRAIN, train.rows), (margins) => {
        const { grad, hess } = objective(margins)
        boost(booster, grad, hess, [0])
        look(marginsOf(TEST, test.rows))
      })
      free[0](booster)
      free[1](other)
      free[1](own)
      return longest
    },
  }
}
