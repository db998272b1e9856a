/**
 * Losses in DuckDB: SQL functions, and chunks of a query for `explainer` and `evaluator`. The caller passes the database; this entry only imports its types.
 *
 * @module focal-loss/duckdb
 */
export { type DuckDB, type DuckdbFunctionNames, type DuckdbLoss, registerFunctions } from './functions.js'
export { queryChunks, type QueryChunk, type QueryColumn, queryColumns, type QueryConnection, type QueryOptions } from './query.js'
