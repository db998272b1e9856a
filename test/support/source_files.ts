/** Files in a folder of their own, and what `focal-loss explain` reads of them. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect } from 'vitest'
import { notesOf } from '../../src/cli/explain/explained.js'
import type { SourceOptions } from '../../src/cli/explain/files/files.js'
import { diskFiles } from '../../src/cli/explain/files/open.js'
import { openSource } from '../../src/cli/explain/files/source.js'

export const folder = mkdtempSync(join(tmpdir(), 'focal-loss-files-'))
afterAll(() => rmSync(folder, { recursive: true }))

type Options = Partial<SourceOptions> & { file: string }

/** The whole source in one piece. */
export async function readAll(options: Options) {
  return { ...(await readNoted(options)), notes: undefined }
}

/** With what is said of it. */
export async function readNoted(options: Options) {
  const source = await openSource(diskFiles, { arrays: { logits: 'logits', targets: 'targets' }, ...options })
  const read = { classes: source.classes, logits: [] as number[], targets: [] as number[], mask: [] as number[], targetKind: '', kinds: new Set<string>(), shapes: [] as number[][], firstRows: [] as number[] }
  try {
    for (let chunk = await source.read(); chunk !== undefined; chunk = await source.read()) {
      for (const each of chunk.logits) read.logits.push(each)
      for (const each of chunk.targets) read.targets.push(each)
      read.targetKind = chunk.targetKind
      if (chunk.mask !== undefined) read.mask.push(...chunk.mask)
      read.kinds.add(`${chunk.logits.constructor.name}, ${chunk.targets.constructor.name}`)
      read.shapes.push([...chunk.shape, chunk.classAxis])
      read.firstRows.push(chunk.firstRow)
    }
    if (read.logits.length > 0) expect(source.progress()).toBe(1)
  } finally {
    await source.close()
  }
  const { mask, kinds } = read
  const notes = [...notesOf(source.taken), ...source.notes, ...source.warnings.map((warning) => `warning: ${warning}`)].map((note) => note.replaceAll(`${folder}/`, ''))
  return { ...read, notes, mask: mask.length > 0 ? mask : undefined, kinds: [...kinds].join() }
}

export function file(name: string, content: string | Uint8Array): string {
  const path = join(folder, name)
  writeFileSync(path, content)
  return path
}
