/** The steps of a training, on every rank at once. */
import type { MpiCollective } from '@focal-loss/mpi'
import { SigmoidFocalLoss } from 'focal-loss'
import { parallelStep } from 'focal-loss/parallel'
import { FEATURES } from '../cell-detector/features.js'
import { CELLS } from '../cell-detector/grid.js'
import { Random } from '../cell-detector/random.js'
import { Adam } from './adam.js'
import { resume, save } from './checkpoint.js'
import { Network, type Numbers } from './network.js'
import type { Options } from './options.js'
import { type Shard, stepsOf } from './shard.js'

const HIDDEN = [32, 16]

/** What a training begins with, on every rank the same, and the batch of each step: what of it is in `shard`. */
export function prepare(shard: Shard, { precision, batch, epochs, seed, learningRate }: Pick<Options, 'precision' | 'batch' | 'epochs' | 'seed' | 'learningRate'>) {
  const loss = new SigmoidFocalLoss({ reduction: 'mean-positives' })
  const network = new Network([FEATURES, ...HIDDEN, 1], precision, new Random(seed), loss.priorBias(shard.prior))
  const adam = new Adam(network.parameters.length, learningRate)
  const perEpoch = Math.ceil(shard.images / batch)
  const batchOf = (step: number) => partOf(shard, stepsOf(shard, batch, new Random(1000 * seed + Math.floor(step / perEpoch)))[step % perEpoch], precision)
  return { loss, network, adam, steps: epochs * perEpoch, batchOf }
}

/** Who hears of a training as it goes. */
export interface Listener {
  /** After how many steps a checkpoint lets it begin, and how many there are. */
  onStart(done: number, steps: number): void
  onStep(step: number, steps: number, loss: number): void
}

/** Returns the loss of every step that was done here. */
export async function train(shard: Shard, ranks: MpiCollective, options: Options, listener: Listener): Promise<number[]> {
  const { checkpoint, every, kill } = options
  const { loss, network, adam, steps, batchOf } = prepare(shard, options)
  const step = parallelStep(loss, ranks)
  const { batch, seed, learningRate, precision } = options
  const recipe = { images: shard.images, batch, seed, learningRate, precision }
  const done = checkpoint === undefined ? 0 : await resume(checkpoint, recipe, ranks, network.parameters, adam)
  listener.onStart(done, steps)
  const losses: number[] = []
  for (let at = done; at < steps; at++) {
    if (kill !== undefined && kill.rank === ranks.rank && kill.step === at) process.kill(process.pid, 'SIGKILL')
    const { features, targets } = batchOf(at)
    const { value, grad } = await step.valueAndGrad(network.forward(features), targets)
    // A layer's gradients are on their way while those of the layer before are computed
    const buckets: Promise<void>[] = []
    network.backward(grad, (ofLayer) => buckets.push(ranks.allReduceAsync(ofLayer)))
    await Promise.all(buckets)
    adam.update(network.parameters, network.gradients, at + 1)
    losses.push(value)
    listener.onStep(at + 1, steps, value)
    if (checkpoint !== undefined && ranks.rank === 0 && ((at + 1) % every === 0 || at + 1 === steps)) await save(checkpoint, recipe, at + 1, network.parameters, adam)
  }
  return losses
}

/** What of a batch is this rank's: none of it, perhaps. */
function partOf({ cells }: Shard, images: readonly number[], precision: Options['precision']): { features: Numbers; targets: Uint8Array } {
  const own = images.flatMap((image) => cells.get(image) ?? [])
  const features = precision === 'float32' ? new Float32Array(own.length * CELLS * FEATURES) : new Float64Array(own.length * CELLS * FEATURES)
  const targets = new Uint8Array(own.length * CELLS)
  own.forEach((each, place) => {
    features.set(each.features, place * CELLS * FEATURES)
    targets.set(each.targets, place * CELLS)
  })
  return { features, targets }
}
