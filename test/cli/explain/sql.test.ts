/** `focal-loss explain --sql`: the report of a query's rows is that of the same rows in a file. */
import { describe, expect, it } from 'vitest'
import type { ExplainedFiles } from '../../../src/cli/explain/explained.js'
import { explainFolder } from '../../support/explain_command.js'
import { seeded } from '../../support/random.js'

const { explain, file } = explainFolder('sql')

const random = seeded(3)
const rows = Array.from({ length: 3000 }, (_, id) => ({ id, logits: [random.normal(), random.normal(), random.normal()].map((x) => Number(x.toFixed(4))), label: random.integer(3) }))
file('rows.json', JSON.stringify(rows))
file('rows.csv', `x,y,z,label\n${rows.map(({ logits, label }) => [...logits, label].join()).join('\n')}\n`)

describe('focal-loss explain --sql', { timeout: 60_000 }, () => {
  const reportOf = (...args: string[]) => {
    const { status, stdout, stderr } = explain(...args, '--loss', 'softmax', '--gammas', '2', '--json', '-')
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
    return { ...(JSON.parse(stdout) as ExplainedFiles), file: '', targets: '', notes: [] }
  }

  it('reads JSON and CSV as the file alone', { timeout: 120_000 }, () => {
    const expected = reportOf('rows.csv')
    expect(reportOf('--sql', "SELECT logits::DOUBLE[] AS logits, label FROM 'rows.json'")).toEqual(expected)
    expect(reportOf('--sql', "SELECT label, x, y, z FROM 'rows.csv'")).toEqual(expected)
    expect(reportOf('--sql', "SELECT * FROM 'rows.csv'", '--columns', 'x,y,z', '--target-columns', 'label')).toEqual(expected)
  })

  it('filters and joins, and says which columns it took', () => {
    const { status, stdout } = explain('--sql', "SELECT id, logits, label FROM 'rows.json' WHERE label < 2;", '--loss', 'softmax', '--gammas', '2')
    expect(status).toBe(0)
    expect(stdout).toMatch(/^the query: logits from logits; targets from label; left out: id \(an index, by its name\)\n/)
    expect(stdout).toContain(`${rows.filter(({ label }) => label < 2).length.toLocaleString('en-US')} rows`)
  })

  it('leaves NULL targets out where that is said, and has nothing to say of no rows', () => {
    const sql = "SELECT x, CASE WHEN y > 0 THEN label END AS label FROM 'rows.csv' WHERE label < 2"
    expect(explain('--sql', sql).stderr).toMatch(/^focal-loss: the query has no target in row \d+ \(NaN, null or an empty cell\); expected a number, or --ignore-index NaN/)
    const kept = rows.filter(({ logits, label }) => label < 2 && logits[1] > 0).length
    expect((JSON.parse(explain('--sql', sql, '--ignore-index', 'NaN', '--gammas', '2', '--json', '-').stdout) as ExplainedFiles).losses[0].all.count).toBe(kept)
    expect((JSON.parse(explain('--sql', "SELECT x, label FROM 'rows.csv' WHERE label > 5", '--gammas', '2', '--json', '-').stdout) as ExplainedFiles).losses[0].all.count).toBe(0)
  })

  it.each([
    [['--sql', "SELECT * FROM 'nowhere.parquet'"], 1, /^focal-loss: the query cannot be run \(.*No files found that match the pattern "nowhere.parquet".*\)\n$/],
    [['--sql', 'SELEC 1'], 1, /^focal-loss: the query cannot be run \(Parser Error: .*\)\n$/],
    [['--sql', "SELECT 'a' AS logit, 1 AS label"], 1, /^focal-loss: the query cannot be run \(Conversion Error: Could not convert string 'a' to DOUBLE.*\)\n$/],
    [['--sql', 'SELECT [1, 2, 3] AS logits, [1, 0] AS label'], 1, /^focal-loss: the query has 2 targets a row; expected 1, the index of a class, or 3, one for each logit\n$/],
    [['--sql', 'SELECT NULL AS logit, 1 AS label'], 1, /^focal-loss: row 0 of the query has no logits; expected numbers\n$/],
    [['--sql', 'SELECT 1 AS logit'], 1, /^focal-loss: the query has no column target; expected --target-columns with one of logit\n$/],
    [['rows.csv', '--sql', 'SELECT 1'], 2, /expected a file with logits, --sql with a query, or --merge/],
    [['--sql', 'SELECT 1', '--threads', '2'], 2, /option '--sql <select>' cannot be used with option '--threads <number>'/],
  ])('%j: one sentence', (args, status, message) => {
    const found = explain(...args)
    expect(found.status).toBe(status)
    expect(found.stderr).toMatch(message)
  })
})
