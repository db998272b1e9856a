/** An element's outputs depend on its own numbers alone, to the bit: whatever is beside it, masked elsewhere, or in what batch it lies. */
import type { BackendName, CallOptions, Logits } from 'focal-loss'
import { describe, expect, it } from 'vitest'
import { testedBackends } from '../support/backends.js'
import { type AnyOptions, bitsOf, type ElementwiseName, elementwiseNames, elementwiseOf, hasOptions, logitsOf, ofPower, type Precision, precisions } from '../support/losses.js'
import { isas, useMachine } from '../support/native.js'
import { seeded } from '../support/random.js'

/** Two blocks of the CPU's kernels, and a part of one; those that are watched lie on both sides of a block's end. */
const SIZE = 9000
const FIRST = 3900
const LAST = 4200

interface Batch {
  readonly logits: Logits
  readonly targets: Uint8Array | Float32Array | Float64Array
  readonly call?: CallOptions
}

function batch(precision: Precision): Batch {
  const random = seeded(7)
  const logits = logitsOf(precision, Array.from({ length: SIZE }, () => random.between(-14, 10)))
  return { logits, targets: Uint8Array.from(logits, () => Number(random() < 0.1)) }
}

/** A copy of which every `step`th element that is not watched is replaced. */
function beside<A extends Logits | Float32Array | Float64Array | Uint8Array>(array: A, step: number, by: (at: number) => number): A {
  const changed = array.slice() as A
  for (let i = 0; i < SIZE; i += step) if (i < FIRST || i >= LAST) changed[i] = by(i)
  return changed
}

const neighbours: Record<string, (plain: Batch) => Batch> = {
  'far logits': (plain) => ({ ...plain, logits: beside(plain.logits, 61, (i) => (i % 2 === 0 ? 200 : -1e9)) }),
  'infinite logits': (plain) => ({ ...plain, logits: beside(plain.logits, 41, (i) => (i % 2 === 0 ? Infinity : -Infinity)) }),
  'logits that are NaN': (plain) => ({ ...plain, logits: beside(plain.logits, 43, () => NaN) }),
  'positives': (plain) => ({ ...plain, targets: beside(plain.targets, 1, () => 1) }),
  'labels of floats': (plain) => ({ ...plain, targets: Float32Array.from(plain.targets) }),
  'labels of doubles': (plain) => ({ ...plain, targets: Float64Array.from(plain.targets) }),
  'soft labels': (plain) => ({ ...plain, targets: beside(Float32Array.from(plain.targets), 3, (i) => (i % 2 === 0 ? 0.3 : 0.9)) }),
  'soft labels of doubles': (plain) => ({ ...plain, targets: beside(Float64Array.from(plain.targets), 3, () => 0.6) }),
  'soft labels and a mask': (plain) => ({
    ...plain,
    targets: beside(Float32Array.from(plain.targets), 3, () => 0.3),
    call: { mask: beside(new Uint8Array(SIZE).fill(1), 2, () => 0) },
  }),
  'ignored labels': (plain) => ({ ...plain, targets: beside(plain.targets, 3, () => 77) }),
  'a mask': (plain) => ({ ...plain, call: { mask: beside(new Uint8Array(SIZE).fill(1), 2, () => 0) } }),
  'masked logits that are NaN': (plain) => ({ ...plain, logits: beside(plain.logits, 2, () => NaN), call: { mask: beside(new Uint8Array(SIZE).fill(1), 2, () => 0) } }),
  'weights': (plain) => ({ ...plain, call: { weights: beside(new Float32Array(SIZE).fill(1), 3, (i) => (i % 2 === 0 ? 0.7 : 1e20)) } }),
}

/** Each backend, and native with each instruction set. */
const machines = testedBackends().flatMap((backend): { backend: BackendName; isa: number; on: string }[] =>
  backend === 'native' ? isas.map(({ name, isa }) => ({ backend, isa, on: `native, ${name}` })) : [{ backend, isa: 0, on: backend }],
)

type Options = Pick<AnyOptions, 'softTargets'> & { readonly power: number }

function outputsOf(name: ElementwiseName, { power, ...options }: Options, backend: BackendName, { logits, targets, call }: Batch, from: number, to: number): string[] {
  const loss = elementwiseOf(name, { ...ofPower[name](power), ...options, reduction: 'none', ignoreIndex: 77, backend })
  const { value, grad } = loss.valueAndGrad(logits, targets, call)
  const all = loss.valueGradAndHess(logits, targets, call)
  return [value, grad, all.value, all.grad, all.hess].map((array) => bitsOf(array.slice(from, to)))
}

describe.each(machines)('$on', ({ backend, isa }) => {
  const use = () => backend === 'native' && useMachine(1, isa)

  describe.each(elementwiseNames)('%s', (name) => {
    it.each(precisions)('leaves an element its bits whatever is beside it, %s', (precision) => {
      use()
      const plain = batch(precision)
      for (const power of [2, 1.7, 0]) {
        for (const options of [{ power }, { power, softTargets: 'mixture' as const }]) {
          if ('softTargets' in options && !hasOptions(name, { softTargets: 'mixture' })) continue
          const expected = outputsOf(name, options, backend, plain, FIRST, LAST)
          for (const [what, changed] of Object.entries(neighbours)) {
            expect(outputsOf(name, options, backend, changed(plain), FIRST, LAST), `${what}, ${JSON.stringify(options)}`).toEqual(expected)
          }
        }
      }
    })

    it.each(precisions)('gives an element the same bits in any batch, %s', (precision) => {
      use()
      const plain = batch(precision)
      const mixed = { ...plain, logits: beside(plain.logits, 501, () => 300) }
      for (const [from, to] of [[3, 4], [5, 65], [4030, 8500]] as const) {
        const part = { logits: mixed.logits.slice(from, to), targets: mixed.targets.slice(from, to) }
        expect(outputsOf(name, { power: 2 }, backend, part, 0, to - from)).toEqual(outputsOf(name, { power: 2 }, backend, mixed, from, to))
      }
    })
  })
})
