/** Networks from the same weights, on the same batches, each with its own loss. */
import type { SigmoidFocalLoss } from 'focal-loss'
import { Random } from '../../../examples/cell-detector/random.js'
import { drawPoints, EXTENT, labelledPriorOf, mislabel, type Points } from './data.js'
import { dataSets } from './data_sets.js'
import { measure } from './measures.js'
import { Network } from './network.js'
import { GRID, LAST_STEP, type Settings, type Snapshot } from './protocol.js'
import { lossesOf, ofEach, type OfEach, trained } from './variants.js'

const SIZES = { validation: 4000, test: 8000 }
const BATCH = 256
const SHOWN_NEGATIVES = 500

interface Contestant {
  readonly loss: SigmoidFocalLoss
  readonly network: Network
}

export class Trainer {
  step = 0
  readonly #settings: Settings
  readonly #data: Readonly<Record<'train' | 'validation' | 'test', Points>>
  readonly #order: Random
  readonly #contestants: OfEach<Contestant>
  readonly #batch = { places: new Float64Array(2 * BATCH), targets: new Uint8Array(BATCH), grad: new Float64Array(BATCH) }

  constructor(settings: Settings) {
    const { data, seed, ratio, startAtPrior } = settings
    this.#settings = settings
    const random = new Random(seed)
    const set = dataSets[data]
    const points = (count: number) => drawPoints(random, count, set, ratio)
    this.#data = { train: mislabel(points(set.points), set.wrong, new Random(seed + 3)), validation: points(SIZES.validation), test: points(SIZES.test) }
    this.#order = new Random(seed + 1)
    const losses = lossesOf(settings)
    this.#contestants = ofEach((id) => {
      const loss = losses[id]
      return { loss, network: new Network(new Random(seed + 2), startAtPrior ? loss.priorBias(labelledPriorOf(set, ratio)) : 0) }
    })
  }

  train(): void {
    const rate = this.#settings.rate * (1 - this.step / LAST_STEP)
    this.step++
    const { places, targets, grad } = this.#batch
    const { train } = this.#data
    for (let i = 0; i < BATCH; i++) {
      const from = this.#order.integer(train.targets.length)
      places.set(train.places.subarray(2 * from, 2 * from + 2), 2 * i)
      targets[i] = train.targets[from]
    }
    for (const name of trained) {
      const { loss, network } = this.#contestants[name]
      loss.valueAndGrad(network.logits(places), targets, { grad })
      network.learn(grad, rate, this.step)
    }
  }

  snapshot(running: boolean): Snapshot {
    const { validation, test } = this.#data
    const positives = test.targets.indexOf(0)
    const scored = (network: Network, { places, targets }: Points) => ({ logits: Float32Array.from(network.logits(places)), targets })
    return {
      step: this.step,
      running,
      surfaces: ofEach((id) => Float32Array.from(this.#contestants[id].network.logits(square))),
      measured: ofEach((id) => {
        const { loss, network } = this.#contestants[id]
        return measure(loss, scored(network, validation), scored(network, test))
      }),
      shown: { places: Float32Array.from(test.places.subarray(0, 2 * Math.min(SIZES.test, positives + SHOWN_NEGATIVES))), positives },
      prevalence: positives / SIZES.test,
      positives,
    }
  }
}

/** The places of a surface, row by row from the top. */
const square = Float64Array.from({ length: 2 * GRID * GRID }, (_, i) => {
  const place = Math.floor(i / 2)
  const along = (step: number) => (2 * EXTENT * step) / (GRID - 1) - EXTENT
  return i % 2 === 0 ? along(place % GRID) : -along(Math.floor(place / GRID))
})
