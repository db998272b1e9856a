/** Adam (Kingma and Ba 2015, arXiv:1412.6980). Every rank has its own state; all are equal, because the gradients are. */
import type { Numbers } from './network.js'

const [KEEP_MEAN, KEEP_SQUARE, LEAST] = [0.9, 0.999, 1e-7]

export class Adam {
  /** In double precision, whatever the network's is. */
  readonly means: Float64Array
  readonly squares: Float64Array
  readonly #rate: number

  constructor(length: number, rate: number) {
    this.means = new Float64Array(length)
    this.squares = new Float64Array(length)
    this.#rate = rate
  }

  /** `step` counts from 1. */
  update(parameters: Numbers, gradients: Numbers, step: number): void {
    const rate = (this.#rate * Math.sqrt(1 - KEEP_SQUARE ** step)) / (1 - KEEP_MEAN ** step)
    for (let k = 0; k < parameters.length; k++) {
      const mean = (this.means[k] = KEEP_MEAN * this.means[k] + (1 - KEEP_MEAN) * gradients[k])
      const square = (this.squares[k] = KEEP_SQUARE * this.squares[k] + (1 - KEEP_SQUARE) * gradients[k] ** 2)
      parameters[k] -= (rate * mean) / (Math.sqrt(square) + LEAST)
    }
  }
}
