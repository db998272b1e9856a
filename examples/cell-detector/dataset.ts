import { UserError } from './errors.js'
import { extractFeatures, FEATURES } from './features.js'
import { CELLS, markCells } from './grid.js'
import type { ImageSource, Split } from './data/micrograph.js'

/** All cells of one split, image after image, ready for training. */
export interface CellSet {
  readonly names: readonly string[]
  /** FEATURES numbers a cell. */
  readonly features: Float32Array
  /** 1 for a platelet's cell, 0 for background. */
  readonly targets: Uint8Array
  readonly positives: number
  /** How many platelets each image shows. */
  readonly platelets: readonly number[]
}

export type Dataset = Readonly<Record<Split, CellSet>>

/** Reads every image of the source, calling `onImage` after each. Features come standardised. */
export async function loadDataset(source: ImageSource, onImage: () => void): Promise<Dataset> {
  const train = await loadSplit(source, 'train', onImage)
  const val = await loadSplit(source, 'val', onImage)
  const test = await loadSplit(source, 'test', onImage)
  const scaling = measureScaling(train.features)
  for (const { features } of [train, val, test]) standardise(features, scaling)
  return { train, val, test }
}

async function loadSplit(source: ImageSource, split: Split, onImage: () => void): Promise<CellSet> {
  const names = source.splits[split]
  const features = new Float32Array(names.length * CELLS * FEATURES)
  const targets = new Uint8Array(names.length * CELLS)
  const counts: number[] = []
  for (const [index, name] of names.entries()) {
    const { pixels, platelets } = await source.read(name)
    features.set(extractFeatures(pixels), index * CELLS * FEATURES)
    targets.set(markCells(platelets), index * CELLS)
    counts.push(platelets.length)
    onImage()
  }
  const positives = targets.reduce((sum, target) => sum + target, 0)
  if (positives === 0) throw new UserError(`the ${split} split (${names.length} images) shows no platelet, so nothing can be learnt or measured there; use more images`)
  return { names, features, targets, positives, platelets: counts }
}

interface Scaling {
  readonly mean: Float64Array
  readonly deviation: Float64Array
}

/** Mean and deviation of every feature over the training cells; the other splits are scaled by the same numbers. */
function measureScaling(features: Float32Array): Scaling {
  const count = features.length / FEATURES
  const mean = new Float64Array(FEATURES)
  const deviation = new Float64Array(FEATURES)
  for (let feature = 0; feature < FEATURES; feature++) {
    let sum = 0
    for (let at = feature; at < features.length; at += FEATURES) sum += features[at]
    const centre = sum / count
    let squares = 0
    for (let at = feature; at < features.length; at += FEATURES) squares += (features[at] - centre) ** 2
    mean[feature] = centre
    deviation[feature] = Math.sqrt(squares / count) || 1
  }
  return { mean, deviation }
}

function standardise(features: Float32Array, { mean, deviation }: Scaling): void {
  for (let at = 0; at < features.length; at++) {
    const feature = at % FEATURES
    features[at] = (features[at] - mean[feature]) / deviation[feature]
  }
}
