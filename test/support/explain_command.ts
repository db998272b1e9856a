/** `focal-loss explain` from its sources, in a folder of its own that goes with the tests of a file. */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll } from 'vitest'

export const main = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url))
/** From another folder, tsx has to be told where it is and what the package's own name means. */
export const node = ['--import', import.meta.resolve('tsx')]
export const env = { ...process.env, TSX_TSCONFIG_PATH: fileURLToPath(new URL('../../tsconfig.json', import.meta.url)) }

/** The words that call it. */
export const command = [process.execPath, ...node, main, 'explain']

export function explainFolder(name: string) {
  const folder = mkdtempSync(join(tmpdir(), `focal-loss-${name}-`))
  afterAll(() => rmSync(folder, { recursive: true }))
  return {
    folder,
    explain: (...args: string[]) => {
      const { status, stdout, stderr } = spawnSync(command[0], [...command.slice(1), ...args], { encoding: 'utf8', cwd: folder, env, maxBuffer: 1e8 })
      return { status, stdout, stderr }
    },
    file: (path: string, content: string | Uint8Array) => {
      writeFileSync(join(folder, path), content)
      return path
    },
  }
}
