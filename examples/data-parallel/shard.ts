/** This rank's images: every rank reads its own, and all scale them by the same numbers. */
import type { Collective } from 'focal-loss/parallel'
import type { ImageSource } from '../cell-detector/data/micrograph.js'
import { extractFeatures, FEATURES } from '../cell-detector/features.js'
import { CELLS, markCells } from '../cell-detector/grid.js'
import type { Random } from '../cell-detector/random.js'

/** Cells of the training images that are this rank's. */
export interface Shard {
  /** How many images all ranks have. */
  readonly images: number
  /** The share of positives among all cells of all ranks. */
  readonly prior: number
  /** The features of an image, FEATURES a cell, and 1 for each cell of a platelet; none of another rank's. */
  readonly cells: ReadonlyMap<number, { readonly features: Float64Array; readonly targets: Uint8Array }>
}

/** `batch` is how many images a step has, of which every rank gets as many as the others, or one less. */
export async function loadShard(source: ImageSource, ranks: Collective, batch: number): Promise<Shard> {
  const names = source.splits.train
  const cells = new Map<number, { features: Float64Array; targets: Uint8Array }>()
  for (let image = 0; image < names.length; image++) {
    // A step has one image of each stratum, and a stratum is one rank's
    if (stratumOf(image, batch) % ranks.size !== ranks.rank) continue
    const { pixels, platelets } = await source.read(names[image])
    cells.set(image, { features: Float64Array.from(extractFeatures(pixels)), targets: markCells(platelets) })
  }
  const count = names.length * CELLS
  const positives = Float64Array.of([...cells.values()].reduce((sum, { targets }) => sum + targets.reduce((a, b) => a + b, 0), 0))
  await ranks.allReduce(positives, 'sum')
  const mean = await meanOf(cells.values(), count, ranks, (value) => value)
  const variance = await meanOf(cells.values(), count, ranks, (value, feature) => (value - mean[feature]) ** 2)
  for (const { features } of cells.values()) {
    for (let at = 0; at < features.length; at++) features[at] = (features[at] - mean[at % FEATURES]) / (Math.sqrt(variance[at % FEATURES]) || 1)
  }
  return { images: names.length, prior: positives[0] / count, cells }
}

/** Which of `batch` strata an image is in. */
const stratumOf = (image: number, batch: number) => image % batch

/**
 * The images of each step of an epoch, in an order that `random` gives: one of each stratum while there are any. So every rank
 * has as much to compute in a step as the others; of images that are shuffled freely one rank of two has five of eight on average.
 */
export function stepsOf({ images }: Shard, batch: number, random: Random): number[][] {
  const all = Array.from({ length: images }, (_, image) => image)
  const strata = Array.from({ length: batch }, (_, stratum) => random.shuffle(all.filter((image) => stratumOf(image, batch) === stratum)))
  return Array.from({ length: Math.ceil(images / batch) }, (_, step) => strata.flatMap((stratum) => stratum.slice(step, step + 1)))
}

/** Of each feature, over the cells of all ranks. */
async function meanOf(cells: Iterable<{ readonly features: Float64Array }>, count: number, ranks: Collective, map: (value: number, feature: number) => number): Promise<Float64Array> {
  const sums = new Float64Array(FEATURES)
  for (const { features } of cells) features.forEach((value, at) => (sums[at % FEATURES] += map(value, at % FEATURES)))
  await ranks.allReduce(sums, 'sum')
  return sums.map((sum) => sum / count)
}
