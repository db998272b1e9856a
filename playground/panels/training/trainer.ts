/** Three networks from the same weights, on the same batches, each with its own loss. */
import type { SigmoidFocalLoss } from 'focal-loss'
import { Random } from '../../../examples/cell-detector/random.js'
import { drawPoints, EXTENT, type Points, priorOf } from './data.js'
import { measure } from './measures.js'
import { Network } from './network.js'
import { GRID, LAST_STEP, type Settings, type Snapshot } from './protocol.js'
import { columns, lossesOf, type Trained, trained } from './variants.js'

const SIZES = { train: 6000, validation: 4000, test: 8000 }
const BATCH = 256
const SHOWN_NEGATIVES = 500

interface Contestant {
  readonly loss: SigmoidFocalLoss
  readonly network: Network
}

export class Trainer {
  step = 0
  readonly #settings: Settings
  readonly #data: Readonly<Record<keyof typeof SIZES, Points>>
  readonly #order: Random
  readonly #contestants: Readonly<Record<Trained, Contestant>>
  readonly #batch = { places: new Float64Array(2 * BATCH), targets: new Uint8Array(BATCH), grad: new Float64Array(BATCH) }

  constructor(settings: Settings) {
    const { seed, ratio, startAtPrior } = settings
    this.#settings = settings
    const random = new Random(seed)
    const points = (count: number) => drawPoints(random, count, ratio)
    this.#data = { train: points(SIZES.train), validation: points(SIZES.validation), test: points(SIZES.test) }
    this.#order = new Random(seed + 1)
    const losses = lossesOf(settings)
    const contestant = (loss: SigmoidFocalLoss): Contestant => ({ loss, network: new Network(new Random(seed + 2), startAtPrior ? loss.priorBias(priorOf(ratio)) : 0) })
    this.#contestants = { crossEntropy: contestant(losses.crossEntropy), weighted: contestant(losses.weighted), focal: contestant(losses.focal) }
  }

  train(): void {
    const rate = this.#settings.rate * (1 - this.step / LAST_STEP)
    this.step++
    const { places, targets, grad } = this.#batch
    const { train } = this.#data
    for (let i = 0; i < BATCH; i++) {
      const from = this.#order.integer(SIZES.train)
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
    const results = trained.map((name) => {
      const { loss, network } = this.#contestants[name]
      const scored = ({ places, targets }: Points) => ({ logits: Float32Array.from(network.logits(places)), targets })
      return [name, { ...measure(loss, scored(validation), scored(test)), surface: Float32Array.from(network.logits(square)) }] as const
    })
    const of = Object.fromEntries(results) as Record<Trained, (typeof results)[number][1]>
    return {
      step: this.step,
      running,
      surfaces: { crossEntropy: of.crossEntropy.surface, weighted: of.weighted.surface, focal: of.focal.surface },
      curves: { crossEntropy: of.crossEntropy.curve, weighted: of.weighted.curve, focal: of.focal.curve },
      measures: Object.fromEntries(columns.map((column) => [column.id, of[column.of][column.tuned ? 'tuned' : 'untuned']])) as unknown as Snapshot['measures'],
      shown: { places: Float32Array.from(test.places.subarray(0, 2 * (positives + SHOWN_NEGATIVES))), positives },
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
