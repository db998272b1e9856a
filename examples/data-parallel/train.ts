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
import type { Shard } from './shard.js'

const HIDDEN = [32, 16]

/** Returns the loss of every step that was done here; `onStep` hears of each, and of how many there are. */
export async function train(shard: Shard, ranks: MpiCollective, options: Options, onStep: (step: number, steps: number, loss: number) => void): Promise<number[]> {
  const { precision, batch, epochs, seed, checkpoint, every, kill } = options
  const loss = new SigmoidFocalLoss({ reduction: 'mean-positives' })
  const network = new Network([FEATURES, ...HIDDEN, 1], precision, new Random(seed), loss.priorBias(shard.prior))
  const adam = new Adam(network.parameters.length, options.learningRate)
  const step = parallelStep(loss, ranks)
  const perEpoch = Math.ceil(shard.images / batch)
  const steps = epochs * perEpoch
  const done = checkpoint === undefined ? 0 : await resume(checkpoint, ranks, network.parameters, adam)
  const losses: number[] = []
  for (let at = done; at < steps; at++) {
    if (kill !== undefined && kill.rank === ranks.rank && kill.step === at) process.kill(process.pid, 'SIGKILL')
    const { features, targets } = partOf(shard, imagesOf(shard, seed, Math.floor(at / perEpoch)).slice((at % perEpoch) * batch).slice(0, batch), precision)
    const { value, grad } = await step.valueAndGrad(network.forward(features), targets)
    // A layer's gradients are on their way while those of the layer before are computed
    const buckets: Promise<void>[] = []
    network.backward(grad, (ofLayer) => buckets.push(ranks.allReduceAsync(ofLayer)))
    await Promise.all(buckets)
    adam.update(network.parameters, network.gradients, at + 1)
    losses.push(value)
    onStep(at + 1, steps, value)
    if (checkpoint !== undefined && ranks.rank === 0 && ((at + 1) % every === 0 || at + 1 === steps)) await save(checkpoint, at + 1, network.parameters, adam)
  }
  return losses
}

/** The order of all images in an epoch: the same on every rank. */
function imagesOf({ images }: Shard, seed: number, epoch: number): number[] {
  return new Random(1000 * seed + epoch).shuffle(Array.from({ length: images }, (_, image) => image))
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
