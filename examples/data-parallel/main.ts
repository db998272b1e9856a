/** The platelet detector, trained by all ranks of an MPI job: `mpirun -n 4 node --import tsx examples/data-parallel/main.ts`. */
import { writeFile } from 'node:fs/promises'
import { joinMpi } from '@focal-loss/mpi'
import { openBccd } from '../cell-detector/data/bccd.js'
import { limitImages } from '../cell-detector/data/micrograph.js'
import { generateMicrographs } from '../cell-detector/data/synthetic.js'
import { startProgress } from '../cell-detector/progress.js'
import { parseOptions } from './options.js'
import { loadShard } from './shard.js'
import { train } from './train.js'

const options = parseOptions(process.argv)
const ranks = joinMpi({ timeout: 120 })
const isFirst = ranks.rank === 0
const source = limitImages(options.data === undefined ? generateMicrographs(options.seed) : await openBccd(options.data), options.images)
const shard = await loadShard(source, ranks)
if (isFirst) {
  console.log(`Images: ${source.description}; ${shard.images} to train on, 1 platelet cell in ${Math.round(1 / shard.prior)}.`)
  console.log(`Ranks: ${ranks.size}, ${ranks.library.split(',')[0]}.`)
}

const started = performance.now()
let progress: ReturnType<typeof startProgress> | undefined
const losses = await train(shard, ranks, options, (step, steps, loss) => {
  if (!isFirst) return
  progress ??= startProgress('Training', steps - step + 1)
  progress.advance(`loss ${loss.toPrecision(3)}`)
})
progress?.stop()
if (isFirst) {
  if (options.losses !== undefined) await writeFile(options.losses, JSON.stringify(losses))
  const [last] = losses.slice(-1)
  console.log(losses.length === 0 ? 'Nothing was left to do.' : `${losses.length} steps in ${((performance.now() - started) / 1000).toFixed(1)} s; the last loss is ${last.toPrecision(4)}.`)
}
