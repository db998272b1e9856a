/** Checkpoints of a training: written and read by rank 0, and broadcast to all ranks. */
import { existsSync } from 'node:fs'
import { readFile, rename, writeFile } from 'node:fs/promises'
import type { MpiCollective } from '@focal-loss/mpi'
import { UserError } from '../cell-detector/errors.js'
import type { Numbers } from './network.js'
import type { Adam } from './adam.js'

const FORMAT = 2

/** What the steps depend on: a training goes on with the same alone. */
export interface Recipe {
  readonly images: number
  readonly batch: number
  readonly seed: number
  readonly learningRate: number
  readonly precision: 'float32' | 'float64'
}

interface Content {
  readonly format: number
  readonly recipe: Recipe
  readonly step: number
  readonly parameters: number[]
  readonly means: number[]
  readonly squares: number[]
}

/** After which step it was, and what belongs to it. Written beside and then put in place: whoever is killed leaves the one before. */
export async function save(file: string, recipe: Recipe, step: number, parameters: Numbers, { means, squares }: Adam): Promise<void> {
  const content: Content = { format: FORMAT, recipe, step, parameters: [...parameters], means: [...means], squares: [...squares] }
  await writeFile(`${file}.part`, JSON.stringify(content))
  await rename(`${file}.part`, file)
}

/** Fills parameters and optimizer on all ranks, where there is a checkpoint. Returns the steps that are done. */
export async function resume(file: string, recipe: Recipe, ranks: MpiCollective, parameters: Numbers, { means, squares }: Adam): Promise<number> {
  const state = new Float64Array(1 + 3 * parameters.length)
  if (ranks.rank === 0 && existsSync(file)) {
    const read = await contentOf(file)
    if (read?.format !== FORMAT || read.parameters.length !== parameters.length) throw new UserError(`--checkpoint ${file}: is no checkpoint of this network; expected another file, or none`)
    const of = (each: Recipe) => Object.entries(each).map(([name, value]) => `${name} ${value}`).join(', ')
    if (of(read.recipe) !== of(recipe)) throw new UserError(`--checkpoint ${file}: is of ${of(read.recipe)}; expected ${of(recipe)}`)
    state.set([read.step, ...read.parameters, ...read.means, ...read.squares])
  }
  ranks.broadcast(state, 0)
  if (state[0] > 0) [parameters, means, squares].forEach((array, i) => array.set(state.subarray(1 + i * parameters.length, 1 + (i + 1) * parameters.length)))
  return state[0]
}

/** `undefined` where it is no JSON. */
async function contentOf(file: string): Promise<Content | undefined> {
  const text = await readFile(file, 'utf8')
  try {
    return JSON.parse(text) as Content
  } catch {
    return undefined
  }
}
