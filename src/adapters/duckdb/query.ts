/** Logits and targets of a query, chunk by chunk, as `explainer.add` and `evaluator.add` take them. */
import type { DuckDBConnection, DuckDBDataChunk } from '@duckdb/node-api'
import { checkMethods, checkNames, checkRecord, wholeNumber } from '../../arguments.js'
import { surplus, wrongType } from '../../errors.js'
import { type Column, columnOf } from './vectors.js'

/** The part of a connection that is used. */
export type QueryConnection = Pick<DuckDBConnection, 'runAndReadAll' | 'stream'>

/** A column of a query's result. */
export interface QueryColumn {
  /** As the query calls it. */
  readonly name: string
  /** As SQL has it: `FLOAT[]`. */
  readonly type: string
  /** Whether it holds integers, or lists of them. */
  readonly isInteger: boolean
  /** Whether it holds lists. */
  readonly isList: boolean
}

/** Options of {@link queryChunks}. */
export interface QueryOptions {
  /** The names of the columns that are logits: one of lists, or one for each class. Default: all but the targets. */
  logits?: readonly string[] | undefined
  /** Those that are targets: one, or one for each class. Default: the last. */
  targets?: readonly string[] | undefined
  /** How many logits a chunk has at most, if a row has no more. Default 262,144. */
  chunk?: number | undefined
}

/** A chunk of whole rows. The next chunk reuses its arrays. */
export interface QueryChunk {
  /** Float32 where all columns of logits are FLOAT, or of integers or halves that fit. */
  readonly logits: Float32Array | Float64Array
  /** A number for each logit, or one for each row; NaN where there is none. */
  readonly targets: Float64Array
  /** `[rows, classes]`. */
  readonly shape: [rows: number, classes: number]
  /** Of the query's result. */
  readonly firstRow: number
}

/** Logits that are worth a call. As many as DuckDB hands out at once are passed on at once, so that it works on the next while they are looked at. */
const ENOUGH = 2048

const INTEGER = /^U?(?:TINY|SMALL|BIG|HUGE)?INT(?:EGER)?$|^BOOLEAN$/
const SINGLE = /^FLOAT$|^U?(?:TINY|SMALL)INT$|^BOOLEAN$/
/** LIST and ARRAY: FLOAT[], FLOAT[80]. */
const LIST = /\[\d*\]$/

/** The columns of a query, without running it. Throws DuckDB's errors. */
export async function queryColumns(connection: QueryConnection, sql: string): Promise<QueryColumn[]> {
  if (arguments.length > 2) throw surplus('queryColumns()', 2, arguments.length)
  checkQuery(connection, sql)
  const reader = await connection.runAndReadAll(`DESCRIBE ${asTable(sql)}`)
  return reader.getRowObjects().map((row) => {
    const [name, type] = [String(row.column_name), String(row.column_type)]
    const element = type.replace(LIST, '')
    return { name, type, isInteger: INTEGER.test(element), isList: LIST.test(type) }
  })
}

/**
 * Streams the logits and targets of a query: only one chunk is in memory. Columns may have any type that DuckDB casts to numbers.
 *
 * @param connection an open connection of `@duckdb/node-api`.
 * @param sql one SELECT.
 * @returns chunks. Throws a RangeError for a logit that is NULL, and for lists of different lengths; and DuckDB's errors for the query.
 */
export async function* queryChunks(connection: QueryConnection, sql: string, options: QueryOptions = {}): AsyncGenerator<QueryChunk, void, undefined> {
  if (arguments.length > 3) throw surplus('queryChunks()', 3, arguments.length)
  checkQuery(connection, sql)
  checkRecord('options', options)
  checkNames(options, new Set(['logits', 'targets', 'chunk']), 'queryChunks()')
  const most = wholeNumber('chunk', options.chunk ?? 1 << 18, 1 << 28)
  const columns = await queryColumns(connection, sql)
  const targets = chosen('targets', columns, options.targets ?? columns.slice(-1).map(({ name }) => name))
  const logits = chosen('logits', columns, options.logits ?? columns.filter((column) => !targets.includes(column)).map(({ name }) => name))
  const element = logits.every(({ type }) => SINGLE.test(type.replace(LIST, ''))) ? 'FLOAT' : 'DOUBLE'
  const cast = ({ name, isList }: QueryColumn, type: string, i: number) => `CAST(${quoted(name)} AS ${type}${isList ? '[]' : ''}) AS c${i}`
  const list = [...logits.map((column, i) => cast(column, element, i)), ...targets.map((column, i) => cast(column, 'DOUBLE', logits.length + i))]
  const result = await connection.stream(`SELECT ${list.join(', ')} FROM ${asTable(sql)}`)
  const numbers = element === 'FLOAT' ? Float32Array : Float64Array
  let x: Float32Array | Float64Array = new numbers(0)
  let y = new Float64Array(0)
  let [classes, each, mostRows, rows, firstRow] = [0, 0, 0, 0, 0]
  for await (const chunk of chunksOf(result)) {
    const read = list.map((_, i) => columnOf(chunk.getColumnVector(i)))
    const [ofLogits, ofTargets] = [read.slice(0, logits.length), read.slice(logits.length)]
    if (classes === 0) {
      classes = ofLogits.reduce((sum, column) => sum + column.widthAt(0), 0)
      // Of a list that is NULL nothing tells the length but that of the logits
      each = ofTargets.reduce((sum, column, i) => sum + (!targets[i].isList ? 1 : column.isNull(0) ? classes : column.widthAt(0)), 0)
      if (classes === 0) throw new RangeError('row 0 of the query has no logits; expected numbers')
      mostRows = Math.max(1, Math.floor(most / classes))
      x = new numbers(mostRows * classes)
      y = new Float64Array(mostRows * each)
    }
    for (let from = 0; from < chunk.rowCount; ) {
      const to = Math.min(chunk.rowCount, from + mostRows - rows)
      const at = firstRow + rows - from
      copy(ofLogits, x, rows * classes, classes, from, to, at, false)
      copy(ofTargets, y, rows * each, each, from, to, at, true)
      rows += to - from
      from = to
      if (rows < mostRows && (from < chunk.rowCount || rows * classes < ENOUGH)) continue
      yield { logits: x.subarray(0, rows * classes), targets: y.subarray(0, rows * each), shape: [rows, classes], firstRow }
      firstRow += rows
      rows = 0
    }
  }
  if (rows > 0) yield { logits: x.subarray(0, rows * classes), targets: y.subarray(0, rows * each), shape: [rows, classes], firstRow }
}

/** DuckDB works on the next chunk while one is looked at. */
async function* chunksOf(result: Awaited<ReturnType<QueryConnection['stream']>>): AsyncGenerator<DuckDBDataChunk, void, undefined> {
  const fetched = () => {
    const chunk = result.fetchChunk()
    // Nobody may wait for it yet; an error is thrown to who does
    chunk.catch(() => null)
    return chunk
  }
  let ahead = fetched()
  try {
    for (let chunk = await ahead; chunk !== null && chunk.rowCount > 0; chunk = await ahead) {
      ahead = fetched()
      yield chunk
    }
  } finally {
    // The connection may be closed after this
    await ahead.catch(() => null)
  }
}

/** Rows of columns side by side. `at` is what row 0 of the chunk is called; targets may be NULL, and are NaN then. */
function copy(columns: readonly Column[], to: Float32Array | Float64Array, start: number, width: number, from: number, end: number, at: number, areTargets: boolean): void {
  const rowsName = (row: number) => `row ${at + row} of the query`
  if (columns.length === 1) {
    const [column] = columns
    if (column.isWhole(from, end, width)) {
      const numbers = column.read(from, end)
      if (areTargets || !numbers.includes(NaN)) {
        to.set(numbers, start)
        return
      }
    }
  }
  if (columns.length > 1 && width === columns.length && columns.every((column) => column.isWhole(from, end, 1))) {
    const each = columns.map((column) => column.read(from, end))
    if (areTargets || !each.some((numbers) => numbers.includes(NaN))) {
      each.forEach((numbers, i) => {
        for (let row = 0, k = start + i; row < numbers.length; row++, k += width) to[k] = numbers[row]
      })
      return
    }
  }
  for (let row = from; row < end; row++) {
    let filled = start + (row - from) * width
    const limit = filled + width
    for (const column of columns) {
      const own = column.widthAt(row)
      if (areTargets && column.isNull(row) && (width === columns.length || columns.length === 1)) {
        // A list that is NULL is a row of labels that are missing
        to.fill(NaN, filled, filled + width / columns.length)
        filled += width / columns.length
      } else if (own === 0) throw new RangeError(`${rowsName(row)} has ${areTargets ? 'targets' : 'logits'} that are NULL or empty; expected numbers`)
      else {
        if (filled + own > limit) throw new RangeError(`${rowsName(row)} has more ${areTargets ? 'targets' : 'logits'} than ${width}; expected as many as in the first`)
        to.set(column.read(row, row + 1), filled)
        filled += own
      }
    }
    if (filled < limit) throw new RangeError(`${rowsName(row)} has fewer ${areTargets ? 'targets' : 'logits'} than ${width}; expected as many as in the first`)
    if (!areTargets && to.subarray(limit - width, limit).includes(NaN)) throw new RangeError(`${rowsName(row)} has a logit that is NULL or NaN; expected a number`)
  }
}

function chosen(which: 'logits' | 'targets', columns: readonly QueryColumn[], names: unknown): QueryColumn[] {
  if (!Array.isArray(names)) throw wrongType(which, names, 'an array of names of columns')
  if (names.length === 0) throw new RangeError(`${which} is empty; expected at least one column of the query`)
  return names.map((name: unknown) => {
    const found = columns.find((column) => column.name === name)
    if (found === undefined) throw new RangeError(`the query has no column ${String(name)}; expected one of ${columns.map((column) => column.name).join(', ')}`)
    return found
  })
}

function checkQuery(connection: QueryConnection, sql: unknown): asserts sql is string {
  checkMethods('connection', connection, ['runAndReadAll', 'stream'])
  if (typeof sql !== 'string') throw wrongType('sql', sql, 'a SELECT as text')
}

/** A line break ends what may be a comment. */
function asTable(sql: string): string {
  return `(${sql.replace(/;\s*$/, '')}\n)`
}

function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}
