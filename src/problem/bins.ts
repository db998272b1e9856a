/** Positions on bins 0 to n as labels of a softmax: two neighbours share a row, each as much as the position is near it. */
import type { NumericArray } from '../arrays/numeric_array.js'
import { wrongType } from '../errors.js'
import type { LossConstants } from './constants.js'
import { isPosition } from './problem.js'
import type { Layout } from './shape.js'
import { firstOf } from './positions.js'
import type { GivenTargets } from './targets.js'

/** What no label is: the kernels' look at the labels refuses the row, if it is valid. */
const NO_LABEL = 2

/** A call's positions, and the labels made of them. */
export interface BinTargets {
  readonly positions: NumericArray
  readonly labels: Float32Array | Float64Array
}

/** Labels for every logit. A row that is ignored is NaN in all of its bins, as a softmax has it. */
export function labelsOfPositions({ ignoredPosition }: LossConstants, { array, given }: GivenTargets, layout: Layout, isDouble: boolean): BinTargets {
  if (!ArrayBuffer.isView(array)) throw wrongType('targets', given, 'an array of the host, one position per row')
  const { outer, classes, inner } = layout
  const length = outer * classes * inner
  const labels = isDouble ? new Float64Array(length) : new Float32Array(length)
  const last = classes - 1
  for (let r = 0; r < outer * inner; r++) {
    const first = firstOf(layout, r)
    const position = array[r]
    const isIgnored = position === ignoredPosition || (Number.isNaN(position) && Number.isNaN(ignoredPosition))
    if (isIgnored || !isPosition(position, classes)) {
      for (let c = 0; c < classes; c++) labels[first + c * inner] = isIgnored ? NaN : NO_LABEL
      continue
    }
    const bin = Math.min(Math.floor(position), last - 1)
    labels[first + bin * inner] = bin + 1 - position
    labels[first + (bin + 1) * inner] = position - bin
  }
  return { positions: array, labels }
}
