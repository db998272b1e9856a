/** Files that were kept, in a folder for each seed, which says how they are read. */
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Seed, seeds } from './seeds.js'

export const COMMITTED = fileURLToPath(new URL('corpus', import.meta.url))

export interface Input {
  readonly seed: Seed
  readonly bytes: Uint8Array
}

export function savedIn(folder: string): Input[] {
  return seeds.flatMap((seed) => {
    const own = join(folder, seed.name)
    return existsSync(own) ? readdirSync(own).sort().map((name) => ({ seed, bytes: readFileSync(join(own, name)) })) : []
  })
}

/** Returns where it is. */
export function save(folder: string, { seed, bytes }: Input): string {
  const own = join(folder, seed.name)
  mkdirSync(own, { recursive: true })
  const path = join(own, createHash('sha256').update(bytes).digest('hex').slice(0, 12))
  writeFileSync(path, bytes)
  return path
}
