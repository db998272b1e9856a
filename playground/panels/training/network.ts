/** A network of three dense layers, 2 -> 16 -> 16 -> 1 with tanh between, trained with Adam. */
import type { Random } from '../../../examples/cell-detector/random.js'

const WIDTH = 16

/** Kingma and Ba 2015, arXiv:1412.6980, with the constants of the paper. */
const [MEAN_DECAY, SQUARE_DECAY, EPSILON] = [0.9, 0.999, 1e-8]

type Values = Float64Array<ArrayBuffer>

class Dense {
  /** `outputs` rows of `inputs` weights, and a bias at the end of each. */
  readonly #parameters: Float64Array
  readonly #gradients: Float64Array
  readonly #means: Float64Array
  readonly #squares: Float64Array
  readonly #inputs: number
  readonly #outputs: number
  readonly #bends: boolean
  #into = new Float64Array(0)
  #out = new Float64Array(0)
  #back = new Float64Array(0)

  constructor(random: Random, inputs: number, outputs: number, bends: boolean, bias = 0) {
    this.#inputs = inputs
    this.#outputs = outputs
    this.#bends = bends
    const deviation = Math.sqrt(1 / inputs)
    this.#parameters = Float64Array.from({ length: outputs * (inputs + 1) }, (_, i) => (i % (inputs + 1) === inputs ? bias : deviation * random.normal()))
    this.#gradients = new Float64Array(this.#parameters.length)
    this.#means = new Float64Array(this.#parameters.length)
    this.#squares = new Float64Array(this.#parameters.length)
  }

  forward(into: Values): Values {
    const rows = into.length / this.#inputs
    const [inputs, outputs, parameters] = [this.#inputs, this.#outputs, this.#parameters]
    if (this.#out.length !== rows * outputs) this.#out = new Float64Array(rows * outputs)
    const out = this.#out
    for (let r = 0; r < rows; r++) {
      for (let o = 0; o < outputs; o++) {
        const first = o * (inputs + 1)
        let sum = parameters[first + inputs]
        for (let i = 0; i < inputs; i++) sum += parameters[first + i] * into[r * inputs + i]
        out[r * outputs + o] = this.#bends ? Math.tanh(sum) : sum
      }
    }
    this.#into = into
    return out
  }

  /** From the gradient by the outputs of the last call of `forward` to the gradient by its inputs. */
  backward(gradient: Values): Values {
    const [inputs, outputs, parameters, into] = [this.#inputs, this.#outputs, this.#parameters, this.#into]
    const rows = into.length / inputs
    if (this.#back.length !== into.length) this.#back = new Float64Array(into.length)
    this.#back.fill(0)
    this.#gradients.fill(0)
    for (let r = 0; r < rows; r++) {
      for (let o = 0; o < outputs; o++) {
        const reached = this.#out[r * outputs + o]
        const slope = gradient[r * outputs + o] * (this.#bends ? 1 - reached * reached : 1)
        const first = o * (inputs + 1)
        for (let i = 0; i < inputs; i++) {
          this.#gradients[first + i] += slope * into[r * inputs + i]
          this.#back[r * inputs + i] += slope * parameters[first + i]
        }
        this.#gradients[first + inputs] += slope
      }
    }
    return this.#back
  }

  /** One step of Adam with the gradients of the last call of `backward`; steps count from 1. */
  update(rate: number, step: number): void {
    const scale = (rate * Math.sqrt(1 - SQUARE_DECAY ** step)) / (1 - MEAN_DECAY ** step)
    for (let i = 0; i < this.#parameters.length; i++) {
      const gradient = this.#gradients[i]
      this.#means[i] += (1 - MEAN_DECAY) * (gradient - this.#means[i])
      this.#squares[i] += (1 - SQUARE_DECAY) * (gradient * gradient - this.#squares[i])
      this.#parameters[i] -= (scale * this.#means[i]) / (Math.sqrt(this.#squares[i]) + EPSILON)
    }
  }
}

export class Network {
  readonly #layers: readonly Dense[]

  /** `bias` is that of the last layer: what the untrained network says, about. */
  constructor(random: Random, bias: number) {
    this.#layers = [new Dense(random, 2, WIDTH, true), new Dense(random, WIDTH, WIDTH, true), new Dense(random, WIDTH, 1, false, bias)]
  }

  /** A logit for each place; good until the next call. */
  logits(places: Values): Values {
    return this.#layers.reduce((values: Values, layer) => layer.forward(values), places)
  }

  /** Learns from the gradient by the logits of the last call. */
  learn(gradient: Values, rate: number, step: number): void {
    this.#layers.reduceRight((back: Values, layer) => layer.backward(back), gradient)
    for (const layer of this.#layers) layer.update(rate, step)
  }
}
