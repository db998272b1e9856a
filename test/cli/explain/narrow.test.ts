/** What `focal-loss explain` prints fits the terminal. */
import { spawnSync } from 'node:child_process'
import { describe, expect, it } from 'vitest'
import { command, env, explainFolder } from '../../support/explain_command.js'

const { folder, file } = explainFolder('narrow')
const rows = Array.from({ length: 60 }, (_, r) => [3 * Math.sin(r), 2 * Math.cos(3 * r), Math.sin(7 * r), r % 3])
file('classes.csv', ['the_first_of_the_logits,the_second_of_the_logits,the_third_of_the_logits,label', ...rows.map((row) => row.join(','))].join('\n'))
file('single.csv', ['score,label', ...rows.map(([x, , , y]) => `${x},${y > 1 ? 1 : 0}`)].join('\n'))
const reports: readonly (readonly [string, readonly string[]])[] = [
  ['one class', ['single.csv']],
  ['many gammas and alphas', ['single.csv', '--gammas', '0,0.25,2', '--alphas', 'none,0.125']],
  ['several classes', ['classes.csv', '--background', 'num-classes']],
  ['a softmax', ['classes.csv', '--loss', 'softmax']],
  ['a loss without a gamma', ['single.csv', '--loss', 'focal-star']],
]

describe.each([40, 57, 80])('%i columns', (width) => {
  it.each(reports)('%s', (_, args) => {
    const { status, stdout, stderr } = spawnSync(command[0], [...command.slice(1), ...args], { encoding: 'utf8', cwd: folder, env: { ...env, COLUMNS: String(width) } })
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
    const lines = stdout.trimEnd().split('\n')
    expect(lines.filter((line) => line.length > width)).toEqual([])
    // All is there, however narrow it is
    expect(stdout).toContain('effective')
    expect(stdout).toContain('ROC area')
    expect(lines.length).toBeGreaterThan(40)
  })
}, 60_000)
