/** A softmax's row has the bits of its own logits, target and weight: whatever is beside it, in what batch it lies, and however its class is told. */
import { type BackendName, type Logits, SoftmaxFocalLoss } from 'focal-loss'
import { describe, expect, it } from 'vitest'
import { testedBackends } from '../support/backends.js'
import { bitsOf, logitsOf, type Precision, precisions } from '../support/losses.js'
import { isas, useMachine } from '../support/native.js'
import { seeded } from '../support/random.js'

/** Of how many classes, and rows enough for two blocks of the CPU's kernels and a part of one. */
const CLASSES = [2, 3, 4, 5, 10, 20, 21, 80]
const rowsOf = (classes: number) => Math.ceil(9000 / classes)

interface Batch {
  readonly classes: number
  readonly logits: Logits
  readonly targets: Int32Array
}

/** Some rows are far, of others a class is switched off: a row's own one too. None is watched but those. */
function batch(precision: Precision, classes: number): Batch {
  const random = seeded(classes)
  const rows = rowsOf(classes)
  const logits = logitsOf(precision, Array.from({ length: rows * classes }, () => random.between(-20, 20)))
  for (let row = 0; row < rows; row += 7) logits[row * classes + (row % classes)] = -1e9
  for (let row = 3; row < rows; row += 11) logits[row * classes + ((row + 1) % classes)] = -300
  return { classes, logits, targets: Int32Array.from({ length: rows }, (_, row) => row % classes) }
}

/** Rows that are not watched are every fifth: they become what `by` says. */
const isWatched = (row: number) => row % 5 !== 1
function beside(plain: Batch, by: (k: number) => number): Batch {
  const logits = plain.logits.slice()
  for (let k = 0; k < logits.length; k++) if (!isWatched(Math.floor(k / plain.classes))) logits[k] = by(k)
  return { ...plain, logits }
}

const neighbours: Record<string, (plain: Batch) => Batch> = {
  'far rows': (plain) => beside(plain, (k) => 60 + (k % 50)),
  'rows of which nothing is left': (plain) => beside(plain, () => -1e9),
  'huge rows': (plain) => beside(plain, (k) => (k % 2 === 0 ? 1e35 : -1e35)),
  'infinite rows': (plain) => beside(plain, () => Infinity),
  'rows that are NaN': (plain) => beside(plain, () => NaN),
  'ignored rows': (plain) => ({ ...plain, targets: plain.targets.map((target, row) => (isWatched(row) ? target : 255)) }),
  'ignored rows that are NaN': (plain) => ({
    ...beside(plain, () => NaN),
    targets: plain.targets.map((target, row) => (isWatched(row) ? target : 255)),
  }),
}

const machines = testedBackends().flatMap((backend): { backend: BackendName; isa: number; on: string }[] =>
  backend === 'native' ? isas.map(({ name, isa }) => ({ backend, isa, on: `native, ${name}` })) : [{ backend, isa: 0, on: backend }],
)

type Layout = 'rows together' | 'classes apart'

function transposed(logits: Logits, classes: number, from: 'rows' | 'classes'): Logits {
  const rows = logits.length / classes
  const to = logits.slice()
  for (let row = 0; row < rows; row++)
    for (let c = 0; c < classes; c++) {
      if (from === 'rows') to[c * rows + row] = logits[row * classes + c]
      else to[row * classes + c] = logits[c * rows + row]
    }
  return to
}

/** Each row's value and gradient; gradients are written over the logits, as users may want it. */
function outputsOf(backend: BackendName, layout: Layout, { classes, logits, targets }: Batch, gamma: number): { value: Logits; grad: Logits } {
  const loss = new SoftmaxFocalLoss({ gamma, reduction: 'none', ignoreIndex: 255, backend })
  const rows = targets.length
  const shape = layout === 'rows together' ? [rows, classes] : [1, classes, rows]
  const given = layout === 'rows together' ? logits.slice() : transposed(logits, classes, 'rows')
  const { value, grad } = loss.valueAndGrad(given, targets, { shape, classAxis: 1, grad: given })
  return { value, grad: layout === 'rows together' ? grad : transposed(grad, classes, 'classes') }
}

/** Of the rows that are watched, or of the others. */
const picked = ({ value, grad }: { value: Logits; grad: Logits }, classes: number, watched: boolean) => ({
  value: value.filter((_, row) => isWatched(row) === watched),
  grad: grad.filter((_, k) => isWatched(Math.floor(k / classes)) === watched),
})
const bits = ({ value, grad }: { value: Logits; grad: Logits }) => [bitsOf(value), bitsOf(grad)]

describe.each(machines)('$on', ({ backend, isa }) => {
  const use = () => backend === 'native' && useMachine(1, isa)

  describe.each(['rows together', 'classes apart'] as const)('%s', (layout) => {
    it.each(precisions)('leaves a row its bits whatever is beside it, %s', (precision) => {
      use()
      for (const classes of CLASSES)
        for (const gamma of [2, 1.7, 0]) {
          const plain = batch(precision, classes)
          const ofWatched = (of: Batch) => bits(picked(outputsOf(backend, layout, of, gamma), classes, true))
          const expected = ofWatched(plain)
          for (const [what, change] of Object.entries(neighbours)) expect(ofWatched(change(plain)), `${what}, ${classes} classes, gamma ${gamma}`).toEqual(expected)
        }
    })

    it.each(precisions)('gives nothing to ignored rows, whatever they are, %s', (precision) => {
      use()
      for (const classes of CLASSES) {
        const { value, grad } = picked(outputsOf(backend, layout, neighbours['ignored rows that are NaN'](batch(precision, classes)), 2), classes, false)
        expect([...value, ...grad].every((each) => each === 0), `${classes} classes`).toBe(true)
      }
    })
  })

  it.each(precisions)('gives a row the same bits in any batch, %s', (precision) => {
    use()
    for (const classes of CLASSES) {
      const plain = batch(precision, classes)
      const { value, grad } = outputsOf(backend, 'rows together', plain, 2)
      for (const [from, to] of [[2, 3], [4, 27], [5, 101]] as const) {
        const part = { classes, logits: plain.logits.slice(from * classes, to * classes), targets: plain.targets.slice(from, to) }
        const expected = { value: value.slice(from, to), grad: grad.slice(from * classes, to * classes) }
        expect(bits(outputsOf(backend, 'rows together', part, 2)), `${classes} classes`).toEqual(bits(expected))
      }
    }
  })

  it.each(precisions)('gives one-hot rows the bits of class indices, %s', (precision) => {
    use()
    for (const classes of CLASSES) {
      const { logits, targets } = batch(precision, classes)
      const loss = new SoftmaxFocalLoss({ reduction: 'none', backend })
      const shape = [targets.length, classes]
      const expected = loss.valueAndGrad(logits, targets, { shape })
      for (const labels of [new Uint8Array(logits.length), new Float32Array(logits.length), new Float64Array(logits.length)]) {
        targets.forEach((target, row) => (labels[row * classes + target] = 1))
        expect(bits(loss.valueAndGrad(logits, labels, { shape })), `${classes} classes, ${labels.constructor.name}`).toEqual(bits(expected))
      }
    }
  })
})
