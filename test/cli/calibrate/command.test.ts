/** `focal-loss calibrate`: the library's probabilities, in files. */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { AsymmetricLoss, presets, SigmoidFocalLoss, SoftmaxFocalLoss } from 'focal-loss'
import { afterAll, describe, expect, it } from 'vitest'
import { npyBytes } from '../../support/npy_files.js'
import { seeded } from '../../support/random.js'

const root = fileURLToPath(new URL('../../../', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'focal-loss-calibrate-'))
afterAll(() => rmSync(folder, { recursive: true }))
const env = { ...process.env, TSX_TSCONFIG_PATH: `${root}tsconfig.json` }

function calibrate(...args: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, ['--import', import.meta.resolve('tsx'), `${root}src/cli/main.ts`, 'calibrate', ...args], { encoding: 'utf8', cwd: folder, env })
  return { status, stdout, stderr }
}

/** The header of a .npy file of version 1, and its float32 numbers. */
function readNpy(name: string) {
  const bytes = readFileSync(join(folder, name))
  const start = 10 + bytes.readUInt16LE(8)
  expect(start % 64).toBe(0)
  return { header: bytes.toString('latin1', 10, start).trim(), data: new Float32Array(bytes.buffer.slice(bytes.byteOffset + start, bytes.byteOffset + bytes.length)) }
}

const random = seeded(2)
const x = Float32Array.from({ length: 2 * 3 * 4 }, () => 4 * random.normal())
writeFileSync(join(folder, 'x.npy'), npyBytes({ descr: '<f4', shape: [2, 3, 4], data: x }))
writeFileSync(join(folder, 'scores.csv'), 'id,score_a,score_b\n7,0.5,-1\n8,2,3\n')
const written = (name: string) => `out.npy: the probabilities of 24 logits of x.npy, ${name}\n`

describe('focal-loss calibrate', { timeout: 60_000 }, () => {
  it('writes .npy in the shape of the logits', () => {
    expect(calibrate('x.npy', '--loss', 'sigmoid', '--out', 'out.npy')).toEqual({ status: 0, stdout: written('as trained with the loss sigmoid, gamma 2, alpha 0.25'), stderr: '' })
    const { header, data } = readNpy('out.npy')
    expect(header).toBe("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3, 4), }")
    expect(data).toEqual(new SigmoidFocalLoss().toProbability(x))
    expect(existsSync(join(folder, 'out.npy.part'))).toBe(false)
  })

  it('of any loss, gamma, alpha and axis, or at a temperature', () => {
    const shape = [2, 3, 4]
    const cases: [args: string[], expected: ArrayLike<number>][] = [
      [['--loss', 'sigmoid', '--gamma', '1', '--alpha', 'none'], new SigmoidFocalLoss({ gamma: 1, alpha: null }).toProbability(x)],
      [['--loss', 'asymmetric'], new AsymmetricLoss().toProbability(x)],
      [['--loss', 'softmax', '--class-axis', '1'], new SoftmaxFocalLoss().toProbability(x, { shape, classAxis: 1 })],
      [['--loss', 'softmax'], new SoftmaxFocalLoss().toProbability(x, { shape })],
      [['--loss', 'asymmetric', '--temperature', '2'], x.map((each) => 1 / (1 + Math.exp(-each / 2)))],
      [['--loss', 'softmax', '--temperature', '2'], new SoftmaxFocalLoss({ ...presets.crossEntropy }).toProbability(x.map((each) => each / 2), { shape })],
    ]
    for (const [args, expected] of cases) {
      expect(calibrate('x.npy', ...args, '--out', 'out.npy')).toMatchObject({ status: 0, stderr: '' })
      const { data } = readNpy('out.npy')
      expect(data).toHaveLength(24)
      data.forEach((each, k) => expect(each).toBeCloseTo(expected[k], 6))
    }
  })

  it('reads tables, and writes them', () => {
    const { status, stdout, stderr } = calibrate('scores.csv', '--loss', 'sigmoid', '--alpha', 'none', '--out', 'out.csv')
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
    expect(stdout).toBe('scores.csv: logits from score_a, score_b; left out: id (an index, by its name)\nout.csv: the probabilities of 4 logits of scores.csv, as trained with the loss sigmoid, gamma 2, no alpha\n')
    const lines = readFileSync(join(folder, 'out.csv'), 'utf8').trim().split('\n').map((line) => line.split(',').map(Number))
    const p = new SigmoidFocalLoss({ alpha: null }).toProbability(Float64Array.of(0.5, -1, 2, 3))
    expect(lines).toEqual([[expect.closeTo(p[0], 8), expect.closeTo(p[1], 8)], [expect.closeTo(p[2], 8), expect.closeTo(p[3], 8)]])
    writeFileSync(join(folder, 'p.csv'), 'proba\n0.5\n1\n')
    expect(calibrate('p.csv', '--loss', 'asymmetric', '--out', 'out.csv').stdout.split('\n').slice(1)).toEqual([
      'out.csv: the probabilities of 2 logits of p.csv, as trained with the loss asymmetric, its own options',
      'warning: all logits of p.csv are from 0 to 1: if they are probabilities, say --inputs probabilities',
      '',
    ])
    expect(calibrate('p.csv', '--loss', 'sigmoid', '--inputs', 'probabilities', '--out', 'out.csv').stdout).not.toContain('warning')
    expect(calibrate('scores.csv', '--columns', 'score_b', '--loss', 'sigmoid', '--out', 'out.npy').status).toBe(0)
    expect(readNpy('out.npy').header).toContain("'shape': (2, 1)")
  })

  it('says in one sentence what is wrong, and leaves nothing', () => {
    const cases: [args: string[], message: string][] = [
      [['nope.npy', '--loss', 'sigmoid', '--out', 'bad.npy'], 'there is no file nope.npy'],
      [['x.npy', '--loss', 'sigmoid', '--out', 'x.npy'], '--out is x.npy, which is read; expected another file'],
      [['x.npy', '--loss', 'sigmoid', '--out', 'bad.txt'], '--out is bad.txt; expected a name that ends in .npy or .csv'],
      [['x.npy', '--loss', 'quality', '--gamma', '1', '--out', 'bad.npy'], "'gamma' is not an option of QualityFocalLoss; expected one of beta, constantModulator, inputs, classWeights, background, ignoreIndex, reduction, backend"],
      [['x.npy', '--loss', 'softmax', '--class-axis', '0', '--out', 'bad.npy'], '--class-axis is 0; expected an axis of x.npy other than the first'],
      [['x.npy', '--loss', 'sigmoid', '--inputs', 'probabilities', '--out', 'bad.npy'], ''],
    ]
    for (const [args, message] of cases) {
      const { status, stdout, stderr } = calibrate(...args)
      expect({ args, status, stdout }).toEqual({ args, status: 1, stdout: '' })
      if (message === '') expect(stderr).toMatch(/^focal-loss: x\.npy has the probability /)
      else expect(stderr).toBe(`focal-loss: ${message}\n`)
    }
    for (const name of ['bad.npy', 'bad.npy.part', 'bad.txt', 'bad.txt.part']) expect(existsSync(join(folder, name))).toBe(false)
    expect(calibrate('x.npy', '--loss', 'sigmoid', '--columns', '2', '--out', 'a.npy')).toEqual({ status: 1, stdout: '', stderr: 'focal-loss: --columns, --target-columns or --header is given for x.npy; expected them for tables\n' })
    for (const option of ['--gamma', '--alpha']) expect(calibrate('x.npy', '--loss', 'sigmoid', option, '0.5', '--temperature', '2', '--out', 'a.npy').stderr).toContain(`cannot be used with option '${option} <number>'`)
    for (const args of [['x.npy', '--out', 'a.npy'], ['x.npy', '--loss', 'sigmoid'], ['x.npy', '--loss', 'sigmoid', '--out', 'a.npy', '--temperature', '0']]) expect(calibrate(...args).status).toBe(2)
  })
})
