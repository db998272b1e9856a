/** What a training goes on from: written by rank 0, read by rank 0, known to all. */
import { existsSync } from 'node:fs'
import { readFile, rename, writeFile } from 'node:fs/promises'
import type { MpiCollective } from '@focal-loss/mpi'
import { UserError } from '../cell-detector/errors.js'
import type { Numbers } from './network.js'
import type { Adam } from './adam.js'

const FORMAT = 1

/** After which step it was, and what belongs to it. Written beside and then put in place: whoever is killed leaves the one before. */
export async function save(file: string, step: number, parameters: Numbers, { means, squares }: Adam): Promise<void> {
  const content = { format: FORMAT, step, parameters: [...parameters], means: [...means], squares: [...squares] }
  await writeFile(`${file}.part`, JSON.stringify(content))
  await rename(`${file}.part`, file)
}

/** Fills parameters and optimizer on all ranks, where there is a checkpoint. Returns the steps that are done. */
export async function resume(file: string, ranks: MpiCollective, parameters: Numbers, { means, squares }: Adam): Promise<number> {
  const state = new Float64Array(1 + 3 * parameters.length)
  if (ranks.rank === 0 && existsSync(file)) {
    const read = JSON.parse(await readFile(file, 'utf8')) as { format: number; step: number; parameters: number[]; means: number[]; squares: number[] }
    if (read.format !== FORMAT || read.parameters.length !== parameters.length) throw new UserError(`${file} is no checkpoint of this network; expected another file, or none`)
    state.set([read.step, ...read.parameters, ...read.means, ...read.squares])
  }
  ranks.broadcast(state, 0)
  if (state[0] > 0) [parameters, means, squares].forEach((array, i) => array.set(state.subarray(1 + i * parameters.length, 1 + (i + 1) * parameters.length)))
  return state[0]
}
