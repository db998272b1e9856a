/** Checks before the data is read that output files can be written. */
import { accessSync, constants } from 'node:fs'
import { realpath, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { reasonOf } from '../../errors.js'

/** Throws a sentence where the file cannot be written, or is one of those that are read. */
export async function expectWritable(option: string, path: string, read: readonly string[]): Promise<void> {
  // Only --json prints, and does not come by here
  if (path === '' || path === '-') throw new Error(`${option} is '${path}'; expected the name of a file`)
  const found = await stat(path).catch(() => undefined)
  if (found?.isDirectory() === true) throw new Error(`${option} is ${path}, which is a directory; expected the name of a file`)
  if (found !== undefined && (await Promise.all(read.map(real))).includes(await real(path))) throw new Error(`${option} is ${path}, which is read; expected another file`)
  try {
    // Not the asynchronous one, which in Deno without --allow-sys ends the program
    accessSync(found === undefined ? dirname(path) : path, constants.W_OK)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') throw new Error(`${option} is ${path}, but there is no directory ${dirname(path)}`, { cause: error })
    throw new Error(`${option} is ${path}, which cannot be written (${reasonOf(error)})`, { cause: error })
  }
}

/** A file by its own name, whatever links lead there. */
function real(path: string): Promise<string> {
  return realpath(path).catch(() => path)
}
