/** `focal-loss/duckdb`: the SQL functions against the loss's own methods, and queries in chunks. */
import * as duckdb from '@duckdb/node-api'
import { AsymmetricLoss, evaluate, evaluator, type Logits, SigmoidFocalLoss, SoftmaxFocalLoss } from 'focal-loss'
import { type DuckdbFunctionNames, queryChunks, queryColumns, registerFunctions } from 'focal-loss/duckdb'
import { beforeAll, describe, expect, it } from 'vitest'
import { seeded } from '../../support/random.js'
import { thrownBy } from '../../support/thrown.js'

const random = seeded(17)
const [rows, classes] = [5000, 3]
const x = Float32Array.from({ length: rows * classes }, () => 4 * random.normal() - 1)
const y = Int32Array.from({ length: rows }, () => random.integer(classes))
const labels = Float64Array.from(x, () => (random() < 0.1 ? 1 : 0))

let connection: duckdb.DuckDBConnection
const rowsOf = async (sql: string) => (await connection.runAndReadAll(sql)).getRowsJS()
const valuesOf = async (sql: string) => (await rowsOf(sql)).map(([value]) => value)
const listOf = (values: ArrayLike<number>, row: number) => `[${Array.from({ length: classes }, (_, c) => values[row * classes + c].toExponential()).join(', ')}]`

beforeAll(async () => {
  connection = await (await duckdb.DuckDBInstance.create(':memory:')).connect()
  const lines = Array.from(y, (index, row) => `(${row}, ${listOf(x, row)}::FLOAT[], ${index}, ${listOf(labels, row)})`)
  await connection.run(`CREATE TABLE lists AS SELECT * FROM (VALUES ${lines.join(', ')}) t(row, logits, class, labels)`)
  await connection.run(`CREATE TABLE singles AS SELECT row * ${classes} + c AS k, logits[c + 1] AS logit, logits[c + 1]::DOUBLE AS wide, labels[c + 1]::INTEGER AS label FROM lists, range(${classes}) r(c)`)
}, 60_000)

describe('SQL functions', () => {
  const sigmoid = new SigmoidFocalLoss({ alpha: 0.25 })
  const softmax = new SoftmaxFocalLoss({ background: -1 })
  const perClass = new AsymmetricLoss()
  beforeAll(() => {
    registerFunctions(duckdb, connection, sigmoid)
    registerFunctions(duckdb, connection, softmax, { loss: 'softmax_loss', gradient: 'softmax_gradient', probability: 'softmax_probability' })
    registerFunctions(duckdb, connection, perClass, { loss: 'asl', gradient: 'asl_gradient', probability: 'asl_probability' })
  })
  const expectLists = (came: readonly unknown[], expected: Logits) => {
    expect(came).toHaveLength(rows)
    came.forEach((list, row) => expect(Float32Array.from(list as number[])).toEqual(Float32Array.from(expected.subarray(row * classes, (row + 1) * classes))))
  }

  it('of single logits are the loss, its gradient and its calibration, to the bit', async () => {
    const { out, grad } = sigmoid.sums(x, labels, { shape: [x.length, 1], targetKind: 'labels', out: true, grad: true })
    expect(Float32Array.from((await valuesOf('SELECT focal_loss(logit, label) FROM singles ORDER BY k')) as number[])).toEqual(out)
    expect(Float32Array.from((await valuesOf('SELECT focal_gradient(logit, label) FROM singles ORDER BY k')) as number[])).toEqual(grad)
    expect(Float32Array.from((await valuesOf('SELECT to_probability(logit) FROM singles ORDER BY k')) as number[])).toEqual(sigmoid.toProbability(x))
    const wide = Float64Array.from(x)
    const doubles = sigmoid.sums(wide, labels, { shape: [x.length, 1], targetKind: 'labels', out: true })
    expect(Float64Array.from((await valuesOf('SELECT focal_loss(wide, label) FROM singles ORDER BY k')) as number[])).toEqual(doubles.out)
    expect(await valuesOf('SELECT typeof(focal_loss(wide, label)) || typeof(focal_loss(logit, 1)) FROM singles LIMIT 1')).toEqual(['DOUBLEFLOAT'])
  })

  it('of lists go by index or by label, for each logit', async () => {
    const call = { shape: [rows, classes], out: true, grad: true } as const
    for (const [target, given, targetKind] of [['class', y, 'class-index'], ['labels', labels, 'labels']] as const) {
      const { out, grad } = sigmoid.sums(x, given, { ...call, shape: [rows, classes], targetKind })
      expectLists(await valuesOf(`SELECT focal_loss(logits, ${target}) FROM lists ORDER BY row`), out)
      expectLists(await valuesOf(`SELECT focal_gradient(logits, ${target}) FROM lists ORDER BY row`), grad)
    }
    expectLists(await valuesOf('SELECT to_probability(logits) FROM lists ORDER BY row'), sigmoid.toProbability(x))
    // Out of the order they are stored in
    expectLists(await valuesOf('SELECT list_reverse(list_reverse(to_probability(logits))) FROM (SELECT * FROM lists ORDER BY -row) ORDER BY row'), sigmoid.toProbability(x))
  })

  it('of a softmax are one loss a row', async () => {
    const { out, grad } = softmax.sums(x, y, { shape: [rows, classes], out: true, grad: true })
    expect(Float32Array.from((await valuesOf('SELECT softmax_loss(logits, class) FROM lists ORDER BY row')) as number[])).toEqual(out)
    expectLists(await valuesOf('SELECT softmax_gradient(logits, class) FROM lists ORDER BY row'), grad)
    expectLists(await valuesOf('SELECT softmax_probability(logits) FROM lists ORDER BY row'), softmax.toProbability(x, { shape: [rows, classes] }))
    expect(String(await thrownBy(() => connection.run('SELECT softmax_loss(1.5, 1)')))).toMatch(/No function matches/)
  })

  it('NULL gives NULL, an empty list an empty one, and rows may be of any length', async () => {
    expect(await rowsOf('SELECT focal_loss(l, 1), to_probability(l) FROM (VALUES (0.5), (NULL), (2)) t(l)')).toEqual(
      [0.5, null, 2].map((l) => (l === null ? [null, null] : [sigmoid.sums(Float64Array.of(l), [1], { out: true }).out[0], sigmoid.toProbability(Float64Array.of(l))[0]])),
    )
    expect(await rowsOf('SELECT focal_loss(l, t) FROM (VALUES ([1.5, 2], [1, 0]), (NULL, [1]), ([], []), ([3], NULL), ([3], [1])) v(l, t)')).toEqual([
      [Array.from(sigmoid.sums(Float64Array.of(1.5, 2), [1, 0], { out: true }).out)],
      [null],
      [[]],
      [null],
      [Array.from(sigmoid.sums(Float64Array.of(3), [1], { out: true }).out)],
    ])
  })

  it('NULL within a list gives NULL there, and of a softmax for the row', async () => {
    const [alone] = sigmoid.sums(Float64Array.of(1.5), [1], { out: true }).out
    expect(await rowsOf('SELECT focal_loss(l, t) FROM (VALUES ([1.5, NULL, 1.5], [1, 0, NULL]), ([1.5], [1]), ([NULL], [NULL])) v(l, t)')).toEqual([[[alone, null, null]], [[alone]], [[null]]])
    const slopes = sigmoid.sums(Float64Array.of(1.5, 0), Int32Array.of(0), { shape: [1, 2], targetKind: 'class-index', grad: true }).grad
    expect(await rowsOf('SELECT focal_gradient([1.5, NULL], 0), to_probability([NULL, 1.5]::FLOAT[])')).toEqual([[[slopes[0], null], [null, sigmoid.toProbability(Float32Array.of(1.5))[0]]]])
    expect(await rowsOf('SELECT softmax_loss(l, 0), softmax_gradient(l, [1, 0]), softmax_probability(l) FROM (VALUES ([1, NULL]), ([0, 0])) v(l)')).toEqual([
      [null, null, null],
      [expect.closeTo(0.25 * Math.LN2, 12), [expect.any(Number), expect.any(Number)], [0.5, 0.5]],
    ])
    expect(await rowsOf('SELECT softmax_loss([0.0, 0.0], [1, NULL])')).toEqual([[null]])
  })

  it('fit in with the rest of SQL', async () => {
    const [[sum, mean]] = await rowsOf('SELECT sum(asl(wide, label)), avg(asl_gradient(wide, label)) FROM singles')
    const expected = perClass.sums(Float64Array.from(x), labels, { shape: [x.length, 1], targetKind: 'labels', grad: true })
    expect(sum).toBeCloseTo(expected.sum, 6)
    expect(mean).toBeCloseTo(expected.grad.reduce((a, b) => a + b) / x.length, 12)
    expect(await valuesOf('SELECT count(*) FROM singles WHERE asl_probability(logit) >= 0.5')).toEqual([BigInt(perClass.toProbability(x).filter((p) => p >= 0.5).length)])
  })

  it.each([
    ['a label that is none', 'SELECT focal_loss(1.5, 2)', /targets\[0\] is 2; expected a number from 0 to 1/],
    ['a class that is none', 'SELECT focal_loss([1.5, 2], 2)', /targets\[0\] is 2; expected a class in 0\.\.1/],
    ['no labels', 'SELECT focal_loss([1.5, 2], [])', /the targets of a row are 0; expected 2, one for each logit, or the index of a class/],
    ['too few labels', 'SELECT focal_loss([1.5, 2], [1])', /the targets of a row are 1; expected 2, one for each logit, or the index of a class/],
  ])('%s is an error of the query', async (_, sql, message) => {
    expect(String(await thrownBy(() => connection.run(sql)))).toMatch(message)
  })

  it.each([
    ['no namespace', () => registerFunctions(sigmoid as never, connection, sigmoid), 'TypeError: duckdb is a loss; expected the namespace of DuckDB, as in registerFunctions(duckdb, connection, loss)'],
    ['no connection', () => registerFunctions(duckdb, {} as never, sigmoid), 'TypeError: connection is an object; expected an object with the methods registerScalarFunction'],
    ['an unknown name', () => registerFunctions(duckdb, connection, sigmoid, { los: 'f' } as never), "TypeError: 'los' is not an option of registerFunctions(); did you mean 'loss'?"],
    ['a name that is none', () => registerFunctions(duckdb, connection, sigmoid, { loss: 'a b' }), "RangeError: names.loss is 'a b'; expected letters, digits and underscores"],
    ['one name twice', () => registerFunctions(duckdb, connection, sigmoid, { loss: 'f', gradient: 'f' } satisfies DuckdbFunctionNames), 'RangeError: names is an object; expected three different names'],
    ['an argument too many', () => (registerFunctions as (...args: unknown[]) => void)(duckdb, connection, sigmoid, {}, 1), 'TypeError: registerFunctions() was given 5 arguments; expected at most 4'],
  ])('%s is refused', async (_, run, message) => {
    expect(String(await thrownBy(run))).toBe(message)
  })
})

describe('queryChunks', () => {
  const loss = new SigmoidFocalLoss()
  const evaluated = async (sql: string, options: object = {}) => {
    const some = evaluator({ loss })
    let [next, most] = [0, 0]
    for await (const { logits, targets, shape, firstRow } of queryChunks(connection, sql, options)) {
      expect(firstRow).toBe(next)
      next += shape[0]
      most = Math.max(most, logits.length)
      some.add(logits, targets, { shape, targetKind: 'labels' })
    }
    return { result: some.result(), most }
  }

  it('streams lists and columns, whatever the size of a chunk', async () => {
    const expected = evaluate(x, labels, { loss, shape: [rows, classes] })
    for (const chunk of [1 << 18, 7, 6000]) {
      const { result, most } = await evaluated('SELECT logits, labels FROM lists ORDER BY row', { chunk })
      expect(result).toEqual(expected)
      expect(most).toBeLessThanOrEqual(Math.max(chunk, classes))
    }
    const apart = 'SELECT labels[1] AS a, labels[2] AS "b""", labels[3] AS c, logits[1] AS x, logits[2] AS y, logits[3] AS z FROM lists ORDER BY row -- as it was'
    expect((await evaluated(apart, { targets: ['a', 'b"', 'c'] })).result).toEqual(expected)
    const fixed = 'SELECT logits::DOUBLE[3] AS l, labels::BOOLEAN[3] AS t FROM lists ORDER BY row;'
    expect((await evaluated(fixed)).result).toEqual(expected)
  })

  it('reads a target that is NULL as NaN', async () => {
    const found: number[] = []
    for await (const { targets } of queryChunks(connection, 'SELECT * FROM (VALUES (1.5, 1), (2, NULL)) t(l, t)')) found.push(...targets)
    expect(found).toEqual([1, NaN])
  })

  it('reads a list of targets that is NULL as a NaN for each logit, in the first row too', async () => {
    for (const first of ['NULL', '[1, NULL]']) {
      const found: number[] = []
      for await (const { targets } of queryChunks(connection, `SELECT * FROM (VALUES ([1.5, 2], ${first}), ([2, 3], [0, 1]), ([4, 5], NULL)) t(l, t)`)) found.push(...targets)
      expect(found).toEqual([first === 'NULL' ? NaN : 1, NaN, 0, 1, NaN, NaN])
    }
    expect(String(await thrownBy(() => evaluated('SELECT * FROM (VALUES ([1.5, 2], [1, 0]), ([2, 3], [])) t(l, t)')))).toMatch(/row 1 of the query has targets that are NULL or empty/)
  })

  it('tells columns and their types, and runs nothing for it', async () => {
    expect(await queryColumns(connection, "SELECT logits, class, 'a' AS text FROM lists, range(1000000000000)")).toEqual([
      { name: 'logits', type: 'FLOAT[]', isInteger: false, isList: true },
      { name: 'class', type: 'INTEGER', isInteger: true, isList: false },
      { name: 'text', type: 'VARCHAR', isInteger: false, isList: false },
    ])
  })

  it.each([
    ['lists of two lengths', 'SELECT * FROM (VALUES ([1, 2], 1), ([1], 1)) t(l, t)', /row 1 of the query has fewer logits than 2; expected as many as in the first/],
    ['longer ones', 'SELECT * FROM (VALUES ([1], 1), ([1, 2], 1)) t(l, t)', /row 1 of the query has more logits than 1/],
    ['a logit that is NULL', 'SELECT * FROM (VALUES (1.5, 1), (NULL, 1)) t(l, t)', /row 1 of the query has logits that are NULL or empty; expected numbers/],
    ['a NULL in a list', 'SELECT * FROM (VALUES ([1.5, NULL], 1)) t(l, t)', /row 0 of the query has a logit that is NULL or NaN; expected a number/],
    ['text', "SELECT 'abc' AS l, 1 AS t", /Could not convert string 'abc' to DOUBLE/],
    ['no table', 'SELECT * FROM nowhere', /Table with name nowhere does not exist/],
    ['one column', 'SELECT 1 AS t', /logits is empty; expected at least one column of the query/],
  ])('%s is an error', async (_, sql, message) => {
    expect(String(await thrownBy(() => evaluated(sql)))).toMatch(message)
  })

  it('a column that is not there is an error', async () => {
    expect(String(await thrownBy(() => evaluated('SELECT 1 AS a, 2 AS b', { targets: ['c'] })))).toBe('RangeError: the query has no column c; expected one of a, b')
  })
})
