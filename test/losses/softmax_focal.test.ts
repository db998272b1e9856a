/** Locality: what a row comes to depends, to the bit, on the row alone. */
import { describe, expect, it } from 'vitest'
import { type BackendName, type NumericArray, SoftmaxFocalLoss } from 'focal-loss'
import { testedBackends } from '../support/backends.js'
import { isas, useMachine } from '../support/native.js'
import { seeded } from '../support/random.js'

/** Each backend, and native with each instruction set. */
const machines = testedBackends().flatMap((backend): { backend: BackendName; isa: number; on: string }[] =>
  backend === 'native' ? isas.map(({ name, isa }) => ({ backend, isa, on: `native, ${name}` })) : [{ backend, isa: 0, on: backend }],
)

interface Row {
  readonly logits: readonly number[]
  readonly labels: readonly number[]
  readonly weight: number
  readonly keep: number
  /** Which classes a mask per logit leaves to it. */
  readonly classes: readonly number[]
}

/** Rows of which one in eight or so has something that may turn a whole block to another way of computing. */
function rowsOf(count: number, classes: number, soft: boolean): Row[] {
  const random = seeded(classes)
  return Array.from({ length: count }, () => {
    const odd = random() < 0.15
    const wide = odd && random() < 0.3 ? 30 : 3
    const logits = Array.from({ length: classes }, () => wide * random.normal())
    if (odd) logits[random.integer(classes)] = random.pick([-1e9, -100, 55, 200, 1e35, Infinity, -Infinity, NaN])
    const index = random.integer(classes)
    const labels: number[] = logits.map((_, c) => (c === index ? 1 : 0))
    // Also in a batch of soft labels some are hard
    if (soft && random() < 0.8) labels.forEach((_, c) => (labels[c] = random() / classes))
    const masked = random() < 0.3
    return {
      logits,
      labels,
      weight: random() < 0.1 ? random.pick([0, 50, 1e5, 1e20]) : 0.5 + random(),
      keep: random() < 0.9 ? 1 : 0,
      classes: labels.map((label) => (masked && label === 0 && random() < 0.5 ? 0 : 1)),
    }
  })
}

type Kind = 'index' | 'bytes' | 'floats'

interface Way {
  readonly kind: Kind
  readonly apart: boolean
  readonly options: object
  /** A mask per row unless said. */
  readonly mask?: 'classes' | 'none'
  readonly double?: boolean
}

/** The losses and gradients of rows, in one call; a row's numbers one after the other. */
function outcome(rows: readonly Row[], { kind, apart, options, mask, double = false }: Way, backend: BackendName, inPlace = false): number[][] {
  const [count, classes] = [rows.length, rows[0].logits.length]
  const at = (r: number, c: number) => (apart ? c * count + r : r * classes + c)
  const spread = <A extends NumericArray>(to: A, of: (row: Row) => readonly number[]): A => {
    rows.forEach((row, r) => of(row).forEach((number, c) => (to[at(r, c)] = number)))
    return to
  }
  const logits = spread(double ? new Float64Array(count * classes) : new Float32Array(count * classes), (row) => row.logits)
  const targets =
    kind === 'index' ? Int32Array.from(rows, ({ labels }) => labels.indexOf(1)) : spread(kind === 'bytes' ? new Uint8Array(count * classes) : new Float32Array(count * classes), (row) => row.labels)
  const loss = new SoftmaxFocalLoss({ ...options, reduction: 'none', backend })
  const { value, grad } = loss.valueAndGrad(logits, targets, {
    shape: apart ? [1, classes, count] : [count, classes],
    classAxis: 1,
    weights: Float32Array.from(rows, ({ weight }) => weight),
    ...(mask === 'classes' && { mask: spread(new Uint8Array(count * classes), (row) => row.classes) }),
    ...(mask === undefined && { mask: Uint8Array.from(rows, ({ keep }) => keep) }),
    ...(inPlace && { grad: logits }),
  })
  return rows.map((row, r) => [value[r], ...row.logits.map((_, c) => grad[at(r, c)])])
}

/** How many numbers are not the same, bit for bit but for the kind of NaN. */
function differing(a: readonly (readonly number[])[], b: readonly (readonly number[])[]): number {
  expect(a.length).toBe(b.length)
  return a.reduce((count, row, r) => count + row.filter((number, c) => !Object.is(number, b[r][c])).length, 0)
}

const sizes = [2, 3, 5, 10, 21, 33, 80, 130]
const optionsOf = [{ gamma: 2 }, { gamma: 0 }, { gamma: 1.7 }, { gamma: 2, labelSmoothing: 0.1 }]

describe.each(machines)('softmax rows on $on', { timeout: 60_000 }, ({ backend, isa }) => {
  const use = (threads: number) => backend === 'native' && useMachine(threads, isa)

  it.each(sizes)('of %d classes have the bits that they have alone', (classes) => {
    const count = Math.ceil(4500 / classes)
    for (const soft of [false, true]) {
      const rows = rowsOf(count, classes, soft)
      const kinds: readonly Kind[] = soft ? ['floats'] : ['index', 'bytes', 'floats']
      const ways: Way[] = optionsOf.flatMap((options) => [
        ...kinds.map((kind) => ({ kind, apart: false, options })),
        { kind: kinds[0], apart: true, options },
        { kind: kinds[0], apart: false, options, mask: 'classes' as const },
      ])
      ways.push({ kind: kinds[0], apart: true, options: optionsOf[0], mask: 'classes' }, { kind: kinds[0], apart: false, options: optionsOf[0], double: true })
      for (const [i, way] of ways.entries()) {
        use(3)
        const together = outcome(rows, way, backend)
        use(1)
        expect(differing(outcome(rows, way, backend, true), together)).toBe(0)
        // Parts of the batch, at other places of a block and beside others; rows apart in memory are several
        const random = seeded(i)
        for (const some of [1, 2, 37, Math.min(700, count)]) {
          const chosen = Array.from({ length: some + (way.apart ? 1 : 0) }, () => random.integer(count))
          const parts = outcome(chosen.map((r) => rows[r]), way, backend)
          expect(differing(parts, chosen.map((r) => together[r]))).toBe(0)
        }
      }
    }
  })

  it.each(sizes)('of %d classes have the same bits with an index, and with labels of one and zeros', (classes) => {
    use(1)
    const rows = rowsOf(Math.ceil(4500 / classes), classes, false)
    for (const options of optionsOf) {
      for (const apart of [false, true]) {
        const expected = outcome(rows, { kind: 'index', apart, options }, backend)
        for (const kind of ['bytes', 'floats'] as const) expect(differing(outcome(rows, { kind, apart, options }, backend), expected)).toBe(0)
      }
    }
  })

  // GPUs share rows out in another way where masks take classes out: their sums have another order
  it.skipIf(backend === 'cuda').each(sizes)('of %d classes have the same bits beside rows that a mask takes classes out of, and beside ignored ones', (classes) => {
    use(1)
    for (const soft of [false, true]) {
      const rows = rowsOf(Math.ceil(4500 / classes), classes, soft)
      const kind = soft ? 'floats' : 'index'
      for (const options of optionsOf) {
        const alone = outcome(rows, { kind, apart: false, options, mask: 'none' }, backend)
        const beside = outcome(rows, { kind, apart: false, options, mask: 'classes' }, backend)
        const whole = rows.flatMap((row, r) => (row.classes.includes(0) ? [] : [r]))
        expect(whole.length).toBeGreaterThan(rows.length / 2)
        expect(differing(whole.map((r) => beside[r]), whole.map((r) => alone[r]))).toBe(0)
        if (soft) continue
        // Rows of class 0 are ignored
        const others = rows.flatMap((row, r) => (row.labels[0] === 1 ? [] : [r]))
        const ignoring = outcome(rows, { kind, apart: false, options: { ...options, ignoreIndex: 0 }, mask: 'none' }, backend)
        expect(differing(others.map((r) => ignoring[r]), others.map((r) => alone[r]))).toBe(0)
      }
    }
  })
})
