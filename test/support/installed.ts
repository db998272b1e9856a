/** The built package as an application has it: a copy in node_modules/, with nothing of the checkout around it. */
import { execFileSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../..', import.meta.url))

/** The contents of files, by their paths inside a package. */
type Files = Readonly<Record<string, string | Buffer>>

export interface Application {
  readonly folder: string
  /** Puts a package into node_modules/, in place of what has its name. */
  install(name: string, files: Files): void
  uninstall(name: string): void
  remove(): void
}

/** `released`: the package names those with addons, as on a registry (scripts/prebuilt/link.mjs). */
export function makeApplication({ released = false } = {}): Application {
  const folder = mkdtempSync(join(tmpdir(), 'focal-loss-app-'))
  const at = (name: string) => join(folder, 'node_modules', name)
  const own = at('focal-loss')
  mkdirSync(own, { recursive: true })
  for (const name of ['package.json', 'dist']) cpSync(join(root, name), join(own, name), { recursive: true })
  if (released) execFileSync(process.execPath, [join(root, 'scripts/prebuilt/link.mjs'), own])
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ name: 'application', private: true }))
  const uninstall = (name: string) => {
    rmSync(at(name), { recursive: true, force: true })
  }
  return {
    folder,
    install(name, files) {
      uninstall(name)
      for (const [path, content] of Object.entries(files)) {
        const file = join(at(name), path)
        mkdirSync(dirname(file), { recursive: true })
        writeFileSync(file, content)
      }
    },
    uninstall,
    remove() {
      rmSync(folder, { recursive: true })
    },
  }
}

export const builtAddon = (): Buffer => readFileSync(join(root, 'build/Release/focal_loss.node'))
