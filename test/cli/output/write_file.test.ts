/** What the command line leaves where a disk is full: /dev/full, and a limit on how large files may become. */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, describe, expect, it } from 'vitest'
import { writeOutput } from '../../../src/cli/output/write_file.js'
import { npyBytes } from '../../support/npy_files.js'

const root = fileURLToPath(new URL('../../../', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'focal-loss-full-'))
afterAll(() => rmSync(folder, { recursive: true }))
const env = { ...process.env, TSX_TSCONFIG_PATH: `${root}tsconfig.json` }
const command = `"${process.execPath}" --import "${import.meta.resolve('tsx')}" "${root}src/cli/main.ts"`

/** In a shell, whose limits and redirections its children have. */
function shell(script: string) {
  const { status, stderr } = spawnSync('bash', ['-c', script.replaceAll('focal-loss', command)], { encoding: 'utf8', cwd: folder, env })
  return { status, stderr }
}

writeFileSync(join(folder, 'scores.csv'), 'x1,x2,target\n2,-1,0\n-1,0.5,1\n')
writeFileSync(join(folder, 'x.npy'), npyBytes({ descr: '<f4', shape: [600, 2], data: new Float32Array(1200) }))

describe('a full disk is one sentence and status 1,', { timeout: 60_000 }, () => {
  it.each(['save', 'json', 'svg', 'html'])('explain --%s', (option) => {
    expect(shell(`focal-loss explain scores.csv --${option} /dev/full`)).toEqual({
      status: 1,
      stderr: `focal-loss: --${option} is /dev/full, which could not be written (ENOSPC: no space left on device, write)\n`,
    })
  })

  it.each(['doctor', '--help', 'explain --help', 'explain scores.csv', 'bench --sizes 80 --seconds 0.01'])('%s', (args) => {
    expect(shell(`focal-loss ${args} >/dev/full`)).toEqual({
      status: 1,
      stderr: expect.stringContaining('focal-loss: standard output could not be written (ENOSPC: no space left on device, write)\n') as string,
    })
  })

  // Room for 1024 or 2048 bytes, less than the files have
  it.each([
    ['html', 'explain scores.csv --html page', 'page', 1],
    ['save', 'explain scores.csv --save page', 'page', 1],
    ['out', 'calibrate x.npy --loss sigmoid --out out.npy', 'out.npy', 2],
    ['out', 'calibrate x.npy --loss sigmoid --out out.csv', 'out.csv', 2],
  ])('and what was there before is as it was: --%s in %s', (option, args, name, blocks) => {
    writeFileSync(join(folder, name), 'as it was')
    const { status, stderr } = shell(`ulimit -f ${blocks}; focal-loss ${args}`)
    expect(status).toBe(1)
    expect(stderr).toContain(`focal-loss: --${option} is ${name}, which could not be written (EFBIG: file too large, write)\n`)
    expect(readFileSync(join(folder, name), 'utf8')).toBe('as it was')
    expect(readdirSync(folder).filter((file) => file.endsWith('.part'))).toEqual([])
  })
})

it('a file is replaced, through a link too, and nothing is left beside it', async () => {
  writeFileSync(join(folder, 'there'), 'a longer text than the next', { mode: 0o600 })
  symlinkSync('there', join(folder, 'link'))
  for (const name of ['there', 'link', 'new']) {
    await writeOutput('--save', join(folder, name), name)
    expect(readFileSync(join(folder, name === 'new' ? name : 'there'), 'utf8')).toBe(name)
    expect(existsSync(join(folder, `${name}.part`))).toBe(false)
  }
})
