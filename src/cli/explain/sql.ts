/** The rows of a query as a source: DuckDB reads Parquet, CSV, JSON and its other formats. */
import { createRequire } from 'node:module'
import type * as duckdbApi from '@duckdb/node-api'
import type { QueryChunk, QueryColumn } from 'focal-loss/duckdb'
import { counted, reasonOf } from '../../errors.js'
import { type Source, sourceOf } from './files/chunks.js'
import { chooseColumns, type ColumnChoice, takenOf } from './files/columns.js'
import type { Meaning } from './files/files.js'

/** What messages and results call it. */
export const QUERY = 'the query'

/**
 * `sql` is one SELECT. Columns are chosen as those of any table.
 *
 * Not in a worker: DuckDB reads ahead on a thread of its own. With the query in one, two cores took a sixth less time for single logits, and a fifth more for lists of 80.
 */
export async function sqlSource(sql: string, options: ColumnChoice & Meaning): Promise<Source> {
  const { DuckDBInstance } = duckdb()
  const { queryChunks, queryColumns } = await import('focal-loss/duckdb')
  const instance = await DuckDBInstance.create(':memory:', { threads: process.env.FOCAL_LOSS_THREADS ?? '1' })
  const connection = await instance.connect()
  let chunks: ReturnType<typeof queryChunks> | undefined
  const close = async () => {
    await chunks?.return()
    connection.closeSync()
    instance.closeSync()
  }
  try {
    const columns = await queryColumns(connection, sql).catch(refused)
    const table = { names: columns.map(({ name }) => name), count: columns.length }
    const chosen = chooseColumns(QUERY, table, 'both', options)
    const [logits, targets] = [chosen.logits, chosen.targets].map((places) => places.map((place) => columns[place]))
    const stream = (chunks = queryChunks(connection, sql, { logits: namesOf(logits), targets: namesOf(targets) }))
    // The first row tells how many numbers the lists have
    let ahead: IteratorResult<QueryChunk, void> | undefined = await stream.next().catch(refused)
    const [rows, classes] = ahead.done === true ? [1, logits.length] : ahead.value.shape
    const each = ahead.done === true ? targets.length : ahead.value.targets.length / rows
    if (each !== classes && each !== 1) throw new Error(`${QUERY} has ${counted(each, 'target')} a row; expected 1, the index of a class, or ${classes}, one for each logit`)
    const next = async () => {
      const { value } = ahead ?? (await stream.next().catch(refused))
      ahead = undefined
      return value ?? { logits: new Float32Array(0), targets: new Float64Array(0) }
    }
    const parts = {
      names: { logits: QUERY, targets: QUERY },
      integers: targets.every(({ isInteger }) => isInteger),
      next,
      taken: new Map([[QUERY, takenOf(table, chosen)]]),
      // Only its end tells how long it is
      progress: () => 0,
      close,
    }
    return sourceOf({ rest: [classes], classAxis: 1, elements: classes, targets: each }, parts, options)
  } catch (error) {
    await close()
    throw error
  }
}

function namesOf(columns: readonly QueryColumn[]): string[] {
  return columns.map(({ name }) => name)
}

/** The user's own: it is 70 MB, and not everybody's. Required, as Node.js takes 130 ms to find out what an import of it would name. */
function duckdb(): typeof duckdbApi {
  try {
    return createRequire(import.meta.url)('@duckdb/node-api') as typeof duckdbApi
  } catch (error) {
    throw new Error(`--sql is given, which DuckDB runs, but it cannot be loaded (${reasonOf(error)}); expected npm install @duckdb/node-api beside this package`, { cause: error })
  }
}

/** DuckDB shows the query and where it went wrong in lines of their own; a message is one. */
function refused(error: unknown): never {
  // What is wrong with the rows is a sentence already
  if (error instanceof RangeError) throw error
  throw new Error(`${QUERY} cannot be run (${reasonOf(error).replaceAll(/\s*\n\s*/g, ' ').trim()})`, { cause: error })
}
