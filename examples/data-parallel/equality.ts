/**
 * That every number of ranks trains the same: the loss of each step against that of one process, which has the whole batch, no MPI and no
 * `parallelStep`. `node --import tsx examples/data-parallel/equality.ts`
 */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Command } from 'commander'
import { openBccd } from '../cell-detector/data/bccd.js'
import { limitImages } from '../cell-detector/data/micrograph.js'
import { generateMicrographs } from '../cell-detector/data/synthetic.js'
import { flagsFor } from './launch.js'
import { type Options, parseOptions, positiveInteger } from './options.js'
import { loadShard, type Shard } from './shard.js'
import { prepare } from './train.js'

const RANKS = [1, 2, 3, 4]
/** The greatest relative difference that is right: what rounding makes of sums in another order. */
const TOLERANCES = { float64: 1e-12, float32: 1e-6 } as const
type Precision = keyof typeof TOLERANCES
const precisions = Object.keys(TOLERANCES) as Precision[]

const { data, images, epochs, batch, launcher } = new Command('equality')
  .description('Compares the losses of 1, 2, 3 and 4 ranks with those of one process.')
  .option('--data <dir>', 'images in the layout of the BCCD set; without it, synthetic micrographs are generated')
  .option('--images <n>', 'use only this many images', positiveInteger, 40)
  .option('--epochs <n>', 'passes over the training images', positiveInteger, 2)
  .option('--batch <n>', 'images of a step, over all ranks', positiveInteger, 3)
  .option('--launcher <command>', 'of MPI jobs', 'mpirun')
  .allowExcessArguments(false)
  .parse()
  .opts<{ data?: string; images: number; epochs: number; batch: number; launcher: string }>()

/** What main.ts is given. */
function argumentsFor(precision: Precision): string[] {
  const given = { ...(data !== undefined && { data }), images, epochs, batch, precision }
  return Object.entries(given).flatMap(([name, value]) => [`--${name}`, String(value)])
}

function lossesAlone(shard: Shard, options: Options): number[] {
  const { loss, network, adam, steps, batchOf } = prepare(shard, options)
  return Array.from({ length: steps }, (_, step) => {
    const { features, targets } = batchOf(step)
    const { value, grad } = loss.valueAndGrad(network.forward(features), targets)
    network.backward(grad, () => undefined)
    adam.update(network.parameters, network.gradients, step + 1)
    return value
  })
}

function lossesOf(ranks: number, precision: Precision, file: string): number[] {
  const program = fileURLToPath(new URL('main.ts', import.meta.url))
  // There may be more ranks than cores
  const flags = flagsFor(launcher, '--oversubscribe')
  const args = [...flags, '-n', String(ranks), process.execPath, '--import', 'tsx', program, ...argumentsFor(precision), '--losses', file]
  execFileSync(launcher, args, { stdio: ['ignore', 'ignore', 'inherit'] })
  return JSON.parse(readFileSync(file, 'utf8')) as number[]
}

const folder = mkdtempSync(join(tmpdir(), 'focal-loss-equality-'))
try {
  const options = precisions.map((precision) => parseOptions(['node', 'main.ts', ...argumentsFor(precision)]))
  const source = limitImages(data === undefined ? generateMicrographs(options[0].seed) : await openBccd(data), images)
  const shard = await loadShard(source, { rank: 0, size: 1, allReduce: () => undefined }, batch)
  const alone = options.map((each) => lossesAlone(shard, each))
  const steps = alone[0].length
  console.log(`${shard.images} images, ${steps} steps of at most ${batch}. The greatest relative difference of a step's loss from one process's:`)
  console.log(['ranks', ...precisions].map((each) => each.padStart(9)).join(''))
  for (const ranks of RANKS) {
    const worst = precisions.map((precision, i) => {
      const losses = lossesOf(ranks, precision, join(folder, `${ranks}-${precision}.json`))
      if (losses.length !== steps) throw new Error(`${ranks} ranks have done ${losses.length} steps; expected ${steps}`)
      return Math.max(...losses.map((loss, step) => Math.abs(loss / alone[i][step] - 1)))
    })
    console.log([String(ranks), ...worst.map((each) => (each === 0 ? '0' : each.toExponential(1)))].map((each) => each.padStart(9)).join(''))
    if (precisions.some((precision, i) => !(worst[i] <= TOLERANCES[precision]))) process.exitCode = 1
  }
  console.log(process.exitCode === 1 ? 'Not equal: more than 1e-12 in float64, or 1e-6 in float32.' : 'Equal: at most 1e-12 in float64 and 1e-6 in float32.')
} finally {
  rmSync(folder, { recursive: true })
}
