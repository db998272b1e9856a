/**
 * Does what a page tells its reader to do, literally: in an empty folder, beside a folder `focal-loss` with what is built.
 *
 * A block of code with a file's name behind its language, as in ```js train.mjs, is written to that file, or appended to what earlier blocks put there.
 * A block ```sh app is run by bash, where the one before it ended, and asks no registry. If a ```text block follows, that is what it must print.
 */
import { spawnSync } from 'node:child_process'
import { appendFileSync, cpSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import packageJson from '../../package.json' with { type: 'json' }
import type { Block } from './doc_blocks.js'

const root = fileURLToPath(new URL('../../', import.meta.url))

/** What a block of commands printed, and what its page says that it prints. */
export interface Printed {
  readonly at: string
  readonly printed: string
  readonly stated: string
}

/** Follows a page in this folder. Throws where a command fails. */
export function followLiterally(blocks: readonly Block[], folder: string): Printed[] {
  installable(join(folder, 'focal-loss'))
  let here = folder
  const results: Printed[] = []
  blocks.forEach(({ page, language, info, line, code }, i) => {
    const at = `${page}:${line}`
    if (language === 'sh' && info === 'app') {
      const after = join(folder, 'here')
      const { status, stdout, stderr } = spawnSync('bash', ['-ec', `${offline(code, folder)}\npwd > ${after}`], { cwd: here, encoding: 'utf8' })
      if (status !== 0) throw new Error(`the commands at ${at} ended with status ${status}: ${stderr}`)
      here = readFileSync(after, 'utf8').trim()
      const next = blocks.at(i + 1)
      if (next?.language === 'text') results.push({ at, printed: rounded(stdout), stated: rounded(next.code) })
    } else if (info !== '') appendFileSync(join(here, info), code)
  })
  return results
}

/** What a checkout has after `npm run setup`, as far as an installation uses it. */
function installable(folder: string): void {
  mkdirSync(folder)
  for (const path of ['dist', 'build/Release/focal_loss.node']) cpSync(join(root, path), join(folder, path), { recursive: true })
  // Setup has installed what development needs; npm would ask a registry for it here
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ ...packageJson, devDependencies: {} }))
}

/** The commands, with what they take from a registry taken from this repository. */
function offline(commands: string, folder: string): string {
  const [typescript, asked] = [join(folder, 'typescript'), 'typescript@5.9']
  if (!commands.includes(asked)) return commands
  mkdirSync(typescript)
  for (const part of ['bin', 'lib']) symlinkSync(join(root, 'node_modules/typescript', part), join(typescript, part))
  const { version } = JSON.parse(readFileSync(join(root, 'node_modules/typescript/package.json'), 'utf8')) as { version: string }
  if (!`typescript@${version}`.startsWith(`${asked}.`)) throw new Error(`the page installs ${asked}; the repository has ${version}`)
  writeFileSync(join(typescript, 'package.json'), JSON.stringify({ name: 'typescript', version, bin: { tsc: 'bin/tsc' } }))
  return commands.replaceAll(asked, typescript)
}

/** Numbers to five digits, as backends and instruction sets differ in the last ones. */
function rounded(text: string): string {
  return text.replace(/\d+\.\d+(?:e[+-]\d+)?/g, (number) => Number(number).toPrecision(5)).trim()
}
