/** The platelet detector, trained by all ranks of an MPI job: `mpirun -n 4 node --import tsx examples/data-parallel/main.ts`. */
import { writeFile } from 'node:fs/promises'
import { joinMpi, type MpiCollective } from '@focal-loss/mpi'
import { openBccd } from '../cell-detector/data/bccd.js'
import { limitImages } from '../cell-detector/data/micrograph.js'
import { generateMicrographs } from '../cell-detector/data/synthetic.js'
import { UserError } from '../cell-detector/errors.js'
import { startProgress } from '../cell-detector/progress.js'
import { type Options, parseOptions } from './options.js'
import { loadShard } from './shard.js'
import { train } from './train.js'

async function main(options: Options, ranks: MpiCollective): Promise<void> {
  const isFirst = ranks.rank === 0
  const say = (text: string) => {
    if (isFirst) console.log(text)
  }
  const source = limitImages(options.data === undefined ? generateMicrographs(options.seed) : await openBccd(options.data), options.images)
  const shard = await loadShard(source, ranks, options.batch)
  say(`Images: ${source.description}; ${shard.images} to train on, 1 platelet cell in ${Math.round(1 / shard.prior)}.`)
  say(`Ranks: ${ranks.size}, ${ranks.library}.`)

  const started = performance.now()
  let before = started
  let fastest = Infinity
  let progress: ReturnType<typeof startProgress> | undefined
  const losses = await train(shard, ranks, options, {
    onStart(done, steps) {
      if (done > 0) say(`Goes on after step ${done} of ${steps}, from ${options.checkpoint}.`)
    },
    onStep(step, steps, loss) {
      if (!isFirst) return
      const now = performance.now()
      fastest = Math.min(fastest, now - before)
      before = now
      progress ??= startProgress('Training', steps - step + 1)
      progress.advance(`loss ${loss.toPrecision(3)}`)
    },
  })
  progress?.stop()
  if (isFirst && options.losses !== undefined) await writeFile(options.losses, JSON.stringify(losses))
  const [last] = losses.slice(-1)
  say(losses.length === 0 ? 'Nothing was left to do.' : `${losses.length} steps in ${((performance.now() - started) / 1000).toFixed(1)} s, the fastest in ${fastest.toFixed(1)} ms; the last loss is ${last.toPrecision(4)}.`)
}

const options = parseOptions(process.argv)
const ranks = joinMpi({ timeout: 120 })
try {
  await main(options, ranks)
} catch (error) {
  if (!(error instanceof UserError)) throw error
  console.error(`rank ${ranks.rank} of ${ranks.size}: ${error.message}`)
  // At once, and with it the job: the others may be waiting
  process.exit(1)
}
