/** Writes files atomically: if the disk is full, the old file remains. */
import { realpath, rename, rm, stat, writeFile } from 'node:fs/promises'
import { reasonOf } from '../../errors.js'

/** Writes beside the file and renames at the end. What is no plain file (a pipe, a device) is written as it is. */
export async function writeOutput(option: string, path: string, text: string): Promise<void> {
  const there = await stat(path).catch(() => undefined)
  const isPlain = there === undefined || there.isFile()
  // A link stays one, to the new file
  const file = there === undefined ? path : await realpath(path)
  const beside = isPlain ? `${file}.part` : file
  try {
    await writeFile(beside, text, { mode: there?.mode })
    if (isPlain) await rename(beside, file)
  } catch (error) {
    if (isPlain) await removed(beside)
    throw notWritten(option, path, error)
  }
}

export function notWritten(option: string, path: string, error: unknown): Error {
  return new Error(`${option} is ${path}, which could not be written (${reasonOf(error)})`, { cause: error })
}

/** Takes away what an error has left of a file. That it may not, which that error says, is no other error. */
export async function removed(path: string): Promise<void> {
  await rm(path, { force: true }).catch(() => undefined)
}

/** Whether it is an error of writing: the disk is full, the quota used up, the file too large. */
export function isOfWriting(error: unknown): boolean {
  return (error as { readonly syscall?: unknown } | null)?.syscall === 'write'
}
