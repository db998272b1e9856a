/** A loss as SQL functions of DuckDB. */
import type { DuckDBConnection, DuckDBDataChunk, DuckDBType, DuckDBVector } from '@duckdb/node-api'
import type * as duckdbApi from '@duckdb/node-api'
import { checkLossMethods, checkMethods, checkNames, checkRecord } from '../../arguments.js'
import type { Logits } from '../../arrays/logits.js'
import type { Targets } from '../../arrays/numeric_array.js'
import { outOfRange, surplus, wrongType } from '../../errors.js'
import type { FocalLossBase } from '../../losses/base.js'
import { checkFramework } from '../framework.js'
import { columnOf, put, runsOf } from './vectors.js'

/** The part of DuckDB that is used: the namespace of `@duckdb/node-api`. */
export type DuckDB = Pick<typeof duckdbApi, 'DuckDBScalarFunction' | 'DuckDBListValue' | 'FLOAT' | 'DOUBLE' | 'BIGINT' | 'LIST'>

/** The part of a loss that is used: any loss of this package. */
export type DuckdbLoss = Pick<FocalLossBase, 'constants' | 'options' | 'sums' | 'toProbability'>

/** The names of the functions. */
export interface DuckdbFunctionNames {
  /** Default `focal_loss`. */
  loss?: string | undefined
  /** Default `focal_gradient`. */
  gradient?: string | undefined
  /** Default `to_probability`. */
  probability?: string | undefined
}

const defaults = { loss: 'focal_loss', gradient: 'focal_gradient', probability: 'to_probability' } as const

/** Some rows of one width: what a function makes of them, a number for each logit or one for each row. */
type Compute = (logits: Logits, targets: Targets | null, call: { readonly shape: number[]; readonly targetKind?: 'labels' | 'class-index' }) => ArrayLike<number>

/**
 * Registers the SQL functions of a loss for the queries of a connection: `focal_loss(logit, target)`, `focal_gradient(logit, target)` and
 * `to_probability(logit)`. Several losses need different names.
 *
 * Logits are FLOAT, computed in float32, or DOUBLE; single numbers, or lists with one logit per class. Targets are labels from 0 to 1: a number for a single logit, a
 * list of equal length for a list. For a list of logits, an integer is a class index. An element-wise loss returns one result per logit; for a softmax
 * `focal_loss` is one number per row. Gradients are of the sum; the loss's reduction is not used. NULL gives NULL. Invalid input makes the query fail with the
 * error of `value`.
 *
 * A query must run asynchronously, as `connection.run` and `stream` do: the functions are called on the JavaScript thread.
 *
 * @param duckdb the namespace of `@duckdb/node-api`.
 * @param connection an open connection.
 */
export function registerFunctions(duckdb: DuckDB, connection: Pick<DuckDBConnection, 'registerScalarFunction'>, loss: DuckdbLoss, names: DuckdbFunctionNames = {}): void {
  if (arguments.length > 4) throw surplus('registerFunctions()', 4, arguments.length)
  checkFramework('duckdb', duckdb, ['DuckDBScalarFunction', 'LIST'], 'DuckDB', 'registerFunctions(duckdb, connection, loss)')
  checkMethods('connection', connection, ['registerScalarFunction'])
  checkLossMethods(loss, ['sums', 'toProbability'])
  checkRecord('names', names)
  checkNames(names, new Set(Object.keys(defaults)), 'registerFunctions()')
  const given = { ...defaults, ...Object.fromEntries(Object.entries(names).filter(([, name]) => name !== undefined)) }
  for (const [which, name] of Object.entries(given)) {
    if (typeof name !== 'string') throw wrongType(`names.${which}`, name, 'the name of a function')
    if (!/^[a-z_]\w*$/i.test(name)) throw outOfRange(`names.${which}`, name, 'letters, digits and underscores')
  }
  if (new Set(Object.values(given)).size < 3) throw outOfRange('names', names, 'three different names')
  const { perRow } = loss.constants.formula
  const computed: readonly (readonly [name: string, withTargets: boolean, isWide: boolean, compute: Compute])[] = [
    [given.loss, true, !perRow, (logits, targets, call) => loss.sums(logits, targets as Targets, { ...call, out: true }).out],
    [given.gradient, true, true, (logits, targets, call) => loss.sums(logits, targets as Targets, { ...call, grad: true }).grad],
    [given.probability, false, true, (logits, _, { shape }) => loss.toProbability(logits, { shape })],
  ]
  const { DOUBLE, BIGINT, LIST } = duckdb
  for (const [name, withTargets, isWide, compute] of computed) {
    for (const number of [duckdb.FLOAT, DOUBLE]) {
      const register = (parameterTypes: readonly DuckDBType[], returnType: DuckDBType, targetKind: 'labels' | 'class-index') => {
        const mainFunction = (_: unknown, input: DuckDBDataChunk, output: DuckDBVector) => fill(duckdb, input, output, { targetKind, isWide, perRow, compute })
        connection.registerScalarFunction(duckdb.DuckDBScalarFunction.create({ name, parameterTypes, returnType, mainFunction }))
      }
      const result = isWide ? LIST(number) : number
      if (!withTargets) register([LIST(number)], result, 'labels')
      else {
        register([LIST(number), LIST(DOUBLE)], result, 'labels')
        register([LIST(number), BIGINT], result, 'class-index')
      }
      // A softmax of one logit is nothing
      if (!perRow) register(withTargets ? [number, DOUBLE] : [number], number, 'labels')
    }
  }
}

interface Computation {
  readonly targetKind: 'labels' | 'class-index'
  /** Whether a list has a result for each logit. */
  readonly isWide: boolean
  /** Of a softmax, whose rows are as a whole what they are. */
  readonly perRow: boolean
  readonly compute: Compute
}

function fill(duckdb: DuckDB, input: DuckDBDataChunk, output: DuckDBVector, { targetKind, isWide, perRow, compute }: Computation): void {
  const columns = Array.from({ length: input.columnCount }, (_, i) => columnOf(input.getColumnVector(i)))
  const [logits, targets] = columns
  const isList = isWide && 'childVector' in output
  for (const { from, to, width, holes, widths } of runsOf(columns, input.rowCount)) {
    if (columns.some((column) => column.isNull(from)) || (perRow && holes.length > 0)) {
      for (let row = from; row < to; row++) output.setItem(row, null)
      continue
    }
    if (targets !== undefined && targetKind === 'labels' && widths[1] !== widths[0]) {
      throw new RangeError(`the targets of a row are ${widths[1]}; expected ${widths[0]}, one for each logit, or the index of a class`)
    }
    if (width === 0) {
      for (let row = from; row < to; row++) output.setItem(row, isList ? new duckdb.DuckDBListValue([]) : null)
      continue
    }
    const labels = targets === undefined ? null : targetKind === 'labels' ? filled(targets.read(from, to), holes) : Int32Array.from(targets.read(from, to))
    const numbers = compute(filled(logits.read(from, to), holes), labels, { shape: [to - from, width], ...(labels !== null && { targetKind }) })
    if (!isList) put(output, from, numbers)
    else {
      for (let row = from; row < to; row++) {
        const list = Array.prototype.slice.call(numbers, (row - from) * width, (row - from + 1) * width) as (number | null)[]
        for (const hole of holes) list[hole] = null
        output.setItem(row, new duckdb.DuckDBListValue(list))
      }
    }
  }
  output.flush()
}

/** With 0, which is a logit and a label, where there is NULL. */
function filled(numbers: Float32Array | Float64Array, holes: readonly number[]): Float32Array | Float64Array {
  if (holes.length === 0) return numbers
  return numbers.map((each, i) => (holes.includes(i) ? 0 : each))
}
