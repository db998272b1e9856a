/** What `focal-loss explain` cannot do right is one sentence, not a report of something else. */
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { parquetWriteBuffer } from 'hyparquet-writer'
import { explainFolder } from '../../support/explain_command.js'
import { npyBytes } from '../../support/npy_files.js'

const { explain, file, folder } = explainFolder('refusals')
const x = Array.from({ length: 30 }, (_, k) => 2 * Math.sin(k))
file('x.npy', npyBytes({ descr: '<f4', shape: [10, 3], data: Float32Array.from(x) }))
file('y.npy', npyBytes({ descr: '<i8', shape: [10], data: BigInt64Array.from({ length: 10 }, (_, k) => BigInt(k % 3)) }))
file('none.npy', npyBytes({ descr: '<f4', shape: [0], data: new Float32Array(0) }))
file('no_targets.npy', npyBytes({ descr: '<f4', shape: [0], data: new Float32Array(0) }))
file('names.csv', ',score,score\n0,1,2\n')
const whole = ['x.npy', '--targets', 'y.npy']
const part = (index: number, name: string, ...args: string[]) => explain(...whole, '--part', `${index}/2`, '--save', name, ...args).status

describe('parts', () => {
  it('of other questions, given twice, or merged with options that they have answered', () => {
    expect([part(1, 'one.json', '--gammas', '2'), part(2, 'two.json', '--gammas', '2')]).toEqual([0, 0])
    expect([part(2, 'gamma.json', '--gammas', '1'), part(2, 'hardest.json', '--gammas', '2', '--hardest', '3'), part(2, 'default.json'), part(2, 'loss.json', '--loss', 'softmax')]).toEqual([0, 0, 0, 0])
    expect(explain('--merge', 'one.json', 'two.json').status).toBe(0)
    const sentences: [string, string][] = [
      ['gamma.json', 'gamma.json does not go with one.json: its gammas is [1]; expected [2]'],
      ['hardest.json', 'hardest.json does not go with one.json: its hardest is 3; expected 10'],
      ['default.json', 'default.json does not go with one.json: its gammas is the default; expected [2]'],
      ['loss.json', 'loss.json does not go with one.json: its loss is "softmax"; expected "sigmoid"'],
      ['one.json', 'one.json is given twice; expected each part once'],
    ]
    for (const [other, sentence] of sentences) expect(explain('--merge', 'one.json', other)).toEqual({ status: 1, stdout: '', stderr: `focal-loss: ${sentence}\n` })
    for (const option of [['--gammas', '5'], ['--loss', 'softmax'], ['--threads', '2'], ['--hardest', '2']]) {
      const { status, stderr } = explain('--merge', 'one.json', 'two.json', ...option)
      expect(status).toBe(2)
      expect(stderr).toContain(`option '--merge <files...>' cannot be used with option '${option[0]} `)
    }
  }, 120_000)
})

it.skipIf(spawnSync('mkfifo', ['--version']).status !== 0)('a pipe is refused, and not waited for', () => {
  spawnSync('mkfifo', [join(folder, 'pipe.csv')])
  expect(explain('pipe.csv')).toEqual({ status: 1, stdout: '', stderr: 'focal-loss: pipe.csv is no file; expected one that can be read again and again, not a pipe\n' })
}, 60_000)

it('outputs without a name, as only JSON can be printed', () => {
  for (const [option, name] of [['--save', ''], ['--json', ''], ['--svg', '-'], ['--html', '-'], ['--save', '-']]) {
    expect(explain(...whole, option, name)).toEqual({ status: 1, stdout: '', stderr: `focal-loss: ${option} is '${name}'; expected the name of a file\n` })
  }
}, 60_000)

it('options of tables for files that are none', () => {
  for (const option of [['--columns', 'a'], ['--target-columns', '2'], ['--header'], ['--no-header']]) {
    expect(explain(...whole, ...option)).toEqual({ status: 1, stdout: '', stderr: 'focal-loss: --columns, --target-columns or --header is given for x.npy; expected them for tables\n' })
  }
}, 60_000)

it('hints name the options of the command line', () => {
  file('one.csv', '0.5,1\n')
  const sentence = 'one.csv: targets[0] is 1; expected a class in 0..0, background -1 (classes count from 0; --target-kind labels takes targets as labels)'
  expect(explain('one.csv', '--background', '-1')).toEqual({ status: 1, stdout: '', stderr: `focal-loss: ${sentence}\n` })
}, 60_000)

it('lists that are empty in the first row', () => {
  const table = parquetWriteBuffer({ columnData: [{ name: 'logits', data: [[], [1]] }, { name: 'label', data: [0, 1], type: 'INT32' }] })
  file('empty.parquet', new Uint8Array(table))
  expect(explain('empty.parquet')).toEqual({ status: 1, stdout: '', stderr: 'focal-loss: empty.parquet, row 0: column logits has an empty list; expected numbers\n' })
}, 60_000)

it('a column without a name is shown as one', () => {
  expect(explain('names.csv').stderr).toBe("focal-loss: names.csv has no column target; expected --target-columns with one of '', score, score\n")
}, 60_000)

it('no examples are said to be none', () => {
  const { status, stdout } = explain('none.npy', '--targets', 'no_targets.npy')
  expect(status).toBe(0)
  expect(stdout).toMatch(/^there are no examples to judge\n/m)
}, 60_000)

it('more threads than there are rows, or cores, are as many as do some good', () => {
  const one = explain(...whole, '--json', '-')
  const many = explain(...whole, '--json', '-', '--threads', '1024')
  expect(many.status).toBe(0)
  const readings = [one, many].map(({ stdout }) => (JSON.parse(stdout) as { reading: string }).reading)
  expect(readings[1]).toBe(readings[0])
}, 60_000)
