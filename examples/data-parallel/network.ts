/** A network of dense layers that sees one cell, in single or double precision, with its gradient layer by layer. */
import type { Random } from '../cell-detector/random.js'

export type Numbers = Float32Array | Float64Array

interface Layer {
  readonly inputs: number
  readonly units: number
  /** `inputs` x `units` weights, then a bias for each unit. Views of the network's parameters and gradients. */
  readonly parameters: Numbers
  readonly gradients: Numbers
}

export class Network {
  /** Of all layers, the first layer's first. */
  readonly parameters: Numbers
  readonly gradients: Numbers
  readonly #layers: readonly Layer[]
  readonly #make: (length: number) => Numbers
  /** What the last forward pass gave each layer, and the logits. */
  #activations: Numbers[] = []

  /** `sizes`: features, hidden units, 1. The last bias is the caller's; the same random numbers give the same weights. */
  constructor(sizes: readonly number[], precision: 'float32' | 'float64', random: Random, bias: number) {
    this.#make = (length) => (precision === 'float32' ? new Float32Array(length) : new Float64Array(length))
    const shapes = sizes.slice(1).map((units, index) => ({ inputs: sizes[index], units, size: (sizes[index] + 1) * units }))
    const total = shapes.reduce((sum, { size }) => sum + size, 0)
    this.parameters = this.#make(total)
    this.gradients = this.#make(total)
    let at = 0
    this.#layers = shapes.map(({ inputs, units, size }, index) => {
      const [parameters, gradients] = [this.parameters, this.gradients].map((all) => all.subarray(at, at + size))
      at += size
      const deviation = index === shapes.length - 1 ? 0.01 : Math.sqrt(2 / inputs)
      for (let k = 0; k < inputs * units; k++) parameters[k] = deviation * random.normal()
      return { inputs, units, parameters, gradients }
    })
    this.parameters[total - 1] = bias
  }

  /** One logit a row of features. */
  forward(features: Numbers): Numbers {
    this.#activations = [features]
    this.#layers.forEach(({ inputs, units, parameters }, index) => {
      const from = this.#activations[index]
      const rows = from.length / inputs
      const to = this.#make(rows * units)
      const isLast = index === this.#layers.length - 1
      for (let r = 0; r < rows; r++) {
        for (let u = 0; u < units; u++) {
          let sum = parameters[inputs * units + u]
          for (let i = 0; i < inputs; i++) sum += from[r * inputs + i] * parameters[i * units + u]
          to[r * units + u] = isLast ? sum : Math.max(0, sum)
        }
      }
      this.#activations.push(to)
    })
    return this.#activations[this.#layers.length]
  }

  /**
   * The parameters' gradients from that of the logits, from the last layer to the first. `onLayer` gets each layer's once it is
   * ready, while those before are still to come.
   */
  backward(ofLogits: Numbers, onLayer: (gradients: Numbers) => void): void {
    let above = ofLogits
    for (let index = this.#layers.length - 1; index >= 0; index--) {
      const { inputs, units, parameters, gradients } = this.#layers[index]
      const from = this.#activations[index]
      const rows = from.length / inputs
      const below = this.#make(from.length)
      gradients.fill(0)
      for (let r = 0; r < rows; r++) {
        for (let u = 0; u < units; u++) {
          const pull = above[r * units + u]
          gradients[inputs * units + u] += pull
          for (let i = 0; i < inputs; i++) {
            const active = from[r * inputs + i]
            gradients[i * units + u] += active * pull
            // What a hidden unit was 0 at goes no further; of the features nobody asks
            if (index > 0 && active > 0) below[r * inputs + i] += parameters[i * units + u] * pull
          }
        }
      }
      onLayer(gradients)
      above = below
    }
  }
}
