import { spawn } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { createRequire } from 'node:module'
import os from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { explainFiles } from '../../src/cli/explain/explain.js'
import type { ExplainedFiles } from '../../src/cli/explain/explained.js'

const ROOT = path.resolve(import.meta.dirname, '../..')
const TSX = createRequire(import.meta.url).resolve('tsx/cli')

interface Outcome {
  readonly status: number | null
  readonly stdout: string
  readonly stderr: string
}

/** Runs the example as `npm start` does, with its output in a pipe. */
function start(...options: string[]): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [TSX, 'examples/cell-detector/main.ts', ...options], { cwd: ROOT })
    let stdout = ''
    let stderr = ''
    child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()))
    child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()))
    child.on('error', reject)
    child.on('close', (status) => resolve({ status, stdout, stderr }))
  })
}

/** The cells of every table row whose first cell begins like this. */
function rowsOf(output: string, begins: RegExp): string[][] {
  return output
    .split('\n')
    .filter((line) => line.startsWith('│'))
    .map((line) => line.split('│').slice(1, -1).map((cell) => cell.trim()))
    .filter(([first]) => begins.test(first))
}

describe('the example from end to end, on a few synthetic images', () => {
  let folder: string
  let outcome: Outcome
  let report: string

  beforeAll(async () => {
    folder = await mkdtemp(path.join(os.tmpdir(), 'cell-detector-'))
    const file = path.join(folder, 'report.html')
    outcome = await start('--images', '15', '--epochs', '1', '--seeds', '2', '--report', file, '--backend', 'js')
    report = outcome.status === 0 ? await readFile(file, 'utf8') : ''
  }, 60_000)
  afterAll(() => rm(folder, { recursive: true }))

  it('ends well and writes nothing to the error output', () => {
    expect(outcome.stderr).toBe('')
    expect(outcome.status).toBe(0)
  })

  it('says what it works on, with what, and how rare platelets are', () => {
    expect(outcome.stdout).toContain('synthetic')
    expect(outcome.stdout).toMatch(/Backend of the loss: js \(.+\), as asked with --backend\./)
    expect(outcome.stdout).toMatch(/^train: 9 images, \d+ platelet cells, \d+ background cells \(1 : \d+\)$/m)
  })

  it('prints where loss and gradient go before the first update', () => {
    const rows = rowsOf(outcome.stdout, /^(cross entropy|weighted cross entropy|focal.*)$/).filter((row) => row.length === 6)
    expect(rows.map(([loss, bias]) => `${loss}, ${bias}`)).toHaveLength(8)
    const [crossEntropy] = rows
    // log 2 and one half, up to what small random weights add
    expect(Number(crossEntropy[2])).toBeCloseTo(Math.LN2, 1)
    expect(Number(crossEntropy[4])).toBeCloseTo(0.5, 1)
    const weighted = rows.find(([loss, bias]) => loss.startsWith('weighted') && bias === 'zero (0.00)')
    expect(Number.parseFloat(weighted?.[5] ?? '')).toBeCloseTo(50, -1)
  })

  it('prints finite results for all five variants', () => {
    const rows = rowsOf(outcome.stdout, /, (prior|zero bias|RetinaNet rule)$/).filter((row) => row.length === 5)
    expect(rows).toHaveLength(5)
    for (const [, averagePrecision, f1, training, inTheLoss] of rows) {
      for (const text of [averagePrecision, f1, training, inTheLoss]) expect(Number.parseFloat(text)).toBeGreaterThanOrEqual(0)
      expect(averagePrecision).toMatch(/^[01]\.\d{3} \(\d\.\d\d - \d\.\d\d\)$/)
      expect(Number(f1)).toBeLessThanOrEqual(1)
    }
  })

  it('compares the variants over the seeds, in pairs', () => {
    const rows = rowsOf(outcome.stdout, /, (prior|zero bias|RetinaNet rule)$/).filter((row) => row.length === 4)
    expect(rows).toHaveLength(5)
    for (const [name, precision, difference, ahead] of rows) {
      expect(precision).toMatch(/^\d\.\d{4} ± \d\.\d{4}$/)
      expect(difference).toMatch(name === 'cross entropy, prior' ? /^$/ : /^[+-]\d\.\d{4} ± \d\.\d{4}$/)
      expect(ahead).toMatch(name === 'cross entropy, prior' ? /^$/ : /^[012] of 2$/)
    }
    expect(outcome.stdout).toMatch(/^Over 2 seeds focal loss from loss\.priorBias\(prior\) is /m)
  })

  it('shows progress as plain lines where there is no terminal', () => {
    expect(outcome.stdout).toMatch(/^Training: 100 %.*loss/m)
    expect(outcome.stdout).not.toContain('\u001b[')
  })

  it('writes a report with everything in it', () => {
    expect(report.match(/<svg/g)).toHaveLength(4)
    expect(report.match(/<img src="data:image\/jpeg;base64,/g)).toHaveLength(2)
    expect(report.match(/<table>/g)).toHaveLength(3)
    expect(report).not.toMatch(/<script|<link|(src|href)="(?!data:)/)
    expect(report.replaceAll(/base64,[^"]+/g, '')).not.toMatch(/NaN|undefined/)
  })

  it('writes the logits and targets of the test images, for focal-loss explain', async () => {
    const [logits, targets] = ['logits.npy', 'targets.npy'].map((name) => path.join(folder, name))
    expect(outcome.stdout).toContain(`npx focal-loss explain ${logits} --targets ${targets}\n`)
    const [, positives] = /^test: 3 images, (\d+) platelet cells/m.exec(outcome.stdout) ?? []
    const options = { loss: 'sigmoid', inputs: 'logits', gammas: [0], alphas: [null], background: null, ignoreIndex: null, logitsArray: '', targetsArray: '', hardest: 0 } as const
    const { all, positives: platelets } = (JSON.parse((await explainFiles(logits, { ...options, targets, json: '-' })).text) as ExplainedFiles).losses[0]
    expect([all.count, platelets.count]).toEqual([3 * 80 * 60, Number(positives)])
  })
})

describe('mistakes end with one sentence and status 1', () => {
  it.each([
    { options: ['--data', 'no/such/folder'], says: 'cell-detector: --data no/such/folder: there is no such folder\n' },
    { options: ['--data', 'test'], says: /^cell-detector: --data test: the folder JPEGImages is missing;.*\n$/ },
    { options: ['--report', 'no/such/folder/report.html'], says: /^cell-detector: --report no\/such\/folder\/report\.html: cannot write.*\n$/ },
    { options: ['--backend', 'fpga'], says: /^cell-detector: --backend fpga: expected one of .*\n$/ },
    { options: ['--seeds', '0'], says: /^error: option '--seeds <n>' argument '0' is invalid\. expected a whole number above 0\.\n$/ },
    { options: ['--epochs', '0'], says: /^error: option '--epochs <n>' argument '0' is invalid\. expected a whole number above 0\.\n$/ },
  ])('$options', async ({ options, says }) => {
    const { status, stdout, stderr } = await start(...options)
    expect(stderr).toMatch(says)
    expect(stdout).toBe('')
    expect(status).toBe(1)
  }, 30_000)
})
