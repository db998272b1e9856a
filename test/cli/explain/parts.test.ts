/** `focal-loss explain` on parts of the data: --save, --merge, --part and --threads give the report of the whole; and what it says of scores. */
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { EvaluatedFiles } from '../../../src/cli/explain/explained.js'
import { command, env, explainFolder } from '../../support/explain_command.js'
import { npyBytes } from '../../support/npy_files.js'
import { seeded } from '../../support/random.js'

const { folder, explain, file } = explainFolder('parts')

const random = seeded(6)
const [rows, classes] = [150_000, 3]
const x = Float32Array.from({ length: rows * classes }, () => 3 * random.normal() - 3)
const y = Uint8Array.from(x, (each) => (random() < 0.5 / (1 + Math.exp(-each)) ? 1 : 0))
const write = (name: string, from: number, to: number) => {
  file(`${name}.x.npy`, npyBytes({ descr: '<f4', shape: [to - from, classes], data: x.slice(from * classes, to * classes) }))
  file(`${name}.y.npy`, npyBytes({ descr: '|u1', shape: [to - from, classes], data: y.slice(from * classes, to * classes) }))
  return [`${name}.x.npy`, '--targets', `${name}.y.npy`]
}
const whole = write('whole', 0, rows)
const report = (...args: string[]) => {
  const { status, stdout, stderr } = explain(...args, '--json', '-')
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
  return JSON.parse(stdout) as EvaluatedFiles
}
/** What is said of the data, but for the names of files and the last digits of sums. */
const saidOf = ({ file: _file, targets: _targets, ...said }: EvaluatedFiles) => JSON.parse(JSON.stringify(said, (_, value: unknown) => (typeof value === 'number' ? Number(value.toPrecision(10)) : value))) as object

describe('parts', { timeout: 120_000 }, () => {
  const expected = saidOf(report(...whole, '--gammas', '0,2'))

  it('that were saved of several files are merged', () => {
    const ends = [0, 40_000, 41_000, rows]
    ends.slice(1).forEach((end, i) => {
      expect(explain(...write(`part${i}`, ends[i], end), '--gammas', '0,2', '--save', `part${i}.json`).status).toBe(0)
    })
    const merged = report('--merge', 'part0.json', 'part1.json', 'part2.json')
    expect(saidOf(merged)).toEqual(expected)
    expect(merged.file).toBe('3 files (part0.x.npy to part2.x.npy)')
    expect(readFileSync(join(folder, 'part0.json')).length).toBeLessThan(3e6)
    // As a job array would: one file, a share each
    for (const part of ['1/2', '2/2']) expect(explain(...whole, '--gammas', '0,2', '--part', part, '--save', `share${part[0]}.json`).status).toBe(0)
    expect(saidOf(report('--merge', 'share1.json', 'share2.json'))).toEqual(expected)
  })

  it('by xargs, a process for each file, as docs/evaluation.md has it', () => {
    const script = `ls part?.x.npy | xargs -P 2 -I{} sh -c '"$@" "$0" --targets "$(echo "$0" | sed s/x.npy/y.npy/)" --save "$0.json" > /dev/null' {} ${command.map((word) => `'${word}'`).join(' ')}`
    expect(spawnSync('sh', ['-c', script], { cwd: folder, env, encoding: 'utf8' })).toMatchObject({ status: 0, stderr: '' })
    const merged = report('--merge', 'part0.x.npy.json', 'part1.x.npy.json', 'part2.x.npy.json')
    expect(saidOf(merged)).toEqual(saidOf(report(...whole)))
  })

  it.skipIf(spawnSync('parallel', ['--version']).status !== 0)('by GNU parallel, a process for each file, as docs/evaluation.md has it', () => {
    const words = [...command, '{}', '--targets', '{= s/x.npy/y.npy/ =}', '--save', 'parallel-{#}.json', ':::', ...[0, 1, 2].map((i) => `part${i}.x.npy`)]
    // It asks to be cited, once
    const { status } = spawnSync('parallel', ['--will-cite', '--jobs', '2', ...words], { cwd: folder, env, encoding: 'utf8' })
    expect(status).toBe(0)
    expect(saidOf(report('--merge', 'parallel-1.json', 'parallel-2.json', 'parallel-3.json'))).toEqual(saidOf(report(...whole)))
  })

  it('in several processes at once', () => {
    expect(saidOf(report(...whole, '--gammas', '0,2', '--threads', '2'))).toEqual(expected)
    expect(explain(...whole, '--threads', '2', '--html', 'page.html').stdout).toContain('By class')
    expect(readFileSync(join(folder, 'page.html'), 'utf8')).toContain('<h1>')
  })

  it('say in one sentence what is wrong', () => {
    file('text.json', 'no')
    file('other.json', '{}')
    file('flat.csv', '1,0\n2,1\n')
    const cases: [args: string[], message: RegExp][] = [
      [['--merge', 'nope.json'], /^focal-loss: nope\.json cannot be read \(ENOENT/],
      [['--merge', 'text.json'], /^focal-loss: text\.json is no JSON; expected what --save wrote\n$/],
      [['--merge', 'other.json'], /^focal-loss: other\.json is not what --save of this version wrote\n$/],
      [['--merge', 'part0.json', 'part0.x.npy.json'], /^focal-loss: part0\.x\.npy\.json does not go with part0\.json: its gammas is the default; expected \[0,2\]$/m],
      [['--merge', 'part0.json', '--json', 'part0.json'], /^focal-loss: --json is part0\.json, which is read; expected another file\n$/],
      [['flat.csv', '--threads', '2'], /^focal-loss: --threads or --part is given for flat\.csv, whose end alone tells how long it is; expected /],
      [['nope.npy', '--targets', 'nope.npy', '--threads', '2'], /^focal-loss: there is no file nope\.npy\n$/],
    ]
    for (const [args, message] of cases) {
      const { status, stdout, stderr } = explain(...args)
      expect(stderr).toMatch(message)
      expect({ args, status, stdout }).toEqual({ args, status: 1, stdout: '' })
    }
    for (const part of ['0/2', '3/2', '1', 'a/b']) expect(explain(...whole, '--part', part).status).toBe(2)
    for (const args of [[], ['x.npy', '--merge', 'part0.json'], [...whole, '--threads', '0']]) expect(explain(...args).status).toBe(2)
  })
})

describe('standard input', { timeout: 60_000 }, () => {
  const piped = (input: string | Buffer, ...args: string[]) => {
    const { status, stdout, stderr } = spawnSync(command[0], [...command.slice(1), ...args], { encoding: 'utf8', cwd: folder, env, input, maxBuffer: 1e8 })
    return { status, stdout, stderr }
  }

  it('is a file of the format that is told', () => {
    const { status, stdout, stderr } = piped('score,label\n-2,0\n1,1\n-1,0\n2,1\n', '-', '--format', 'csv')
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
    expect(stdout).toMatch(/^standard input: logits from score; targets from label\n/)
    expect(stdout).toMatch(/^standard input: sigmoid, 4 logits, 2 positives, 2 negatives$/m)
    const logits = piped(readFileSync(join(folder, 'part1.x.npy')), '-', '--format', 'npy', '--targets', 'part1.y.npy', '--json', '-')
    expect((JSON.parse(logits.stdout) as EvaluatedFiles).file).toBe('standard input')
  })

  it('says in one sentence what is wrong', () => {
    const cases: [args: string[], message: string][] = [
      [['-'], '- is standard input; expected --format with it: npy, npz, safetensors, csv, tsv, txt, parquet, arrow, feather'],
      [[...whole, '--format', 'csv'], '--format is given for whole.x.npy; expected it for -, standard input'],
      [['-', '--format', 'npy', '--targets', 'whole.y.npy'], 'standard input is no .npy file; expected one that numpy.save has written'],
      [['-', '--format', 'npy', '--targets', 'whole.y.npy', '--threads', '2'], '--threads is given for standard input; expected a file, which several processes can read'],
    ]
    for (const [args, message] of cases) expect(piped('x,y\n1,2\n', ...args)).toEqual({ status: 1, stdout: '', stderr: `focal-loss: ${message}\n` })
    expect(piped('', '-', '--format', 'xls').status).toBe(2)
  })
})

describe('tables', { timeout: 60_000 }, () => {
  it('judge the scores, and fit 80 columns', () => {
    const { stdout } = explain(...whole)
    const tables = stdout.slice(stdout.indexOf('\n\n'))
    expect(tables.split('\n').filter((line) => line.length > 80)).toEqual([])
    const { evaluation } = report(...whole)
    const { raw, best } = evaluation.scores
    expect(stdout).toContain(`raw           ${raw.averagePrecision?.toFixed(3) ?? ''}`)
    expect(stdout.replaceAll('\n', ' ')).toContain(`for a model trained with gamma 2, no alpha (say --gammas and --alphas if with another); lowest log loss: ${best ?? ''}`)
    expect(stdout.match(/^best F1 .*$/m)?.[0]).toContain(raw.thresholds?.bestF1.f1.toFixed(3))
    expect(stdout.match(/^ {4}[012] /gm)).toHaveLength(3)
    expect(stdout).toMatch(/^class .* gamma 0 +gamma 2$/m)
    expect(report(...whole, '--gammas', '1', '--alphas', 'none').evaluation.trained).toEqual({ gamma: 1, alpha: null })
  })
})
