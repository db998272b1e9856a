/** The addon's sessions: memory shared with the kernel, checked again where the pointers are. */
import { beforeEach, describe, expect, it } from 'vitest'
import { SigmoidFocalLoss } from 'focal-loss'
import type { Logits } from '../../../src/arrays/logits.js'
import type { NumericArray } from '../../../src/arrays/numeric_array.js'
import { CALL_BYTES } from '../../../src/backends/addon/call.js'
import type { Session } from '../../../src/backends/native/backend.js'
import { ABI, offsets, PROBLEM_BYTES, RESULT_BYTES, status } from '../../../src/backends/layout.js'
import { testedBackends } from '../../support/backends.js'
import { detached, outOfBounds } from '../../support/buffers.js'
import { addon } from '../../support/native.js'

const rows = 2
const classes = 3
const size = rows * classes
const OVERLAP = -1

describe.runIf(testedBackends().includes('native'))('a session', () => {
  const logits = Float32Array.of(1, -2, 3, 0, 0.5, -1)
  const targets = Int32Array.of(2, 0)
  const loss = new SigmoidFocalLoss({ reduction: 'sum', backend: 'native' })
  let session: Session
  beforeEach(() => {
    session = open()
  })

  /** A session that was told of two rows of three logits with a class each, and of a gradient. */
  function open(): Session {
    const session = addon().open()
    const integers = new Int32Array(session.memory)
    const doubles = new Float64Array(session.memory, 0, PROBLEM_BYTES / 8)
    integers[offsets.abi / 4] = ABI
    integers[offsets.targetsKind / 4] = 1
    integers[offsets.targetsDtype / 4] = 6
    for (const name of ['logits', 'targets', 'grad'] as const) integers[offsets[name] / 4] = 1
    for (const name of ['background', 'ignoreIndex', 'normalizer'] as const) doubles[offsets[name] / 8] = NaN
    Object.entries({ outer: rows, classes, inner: 1, gamma: 2, positiveWeight: 0.25, negativeWeight: 0.75, positiveFrom: 0.5, gradScale: 1 }).forEach(([name, value]) => {
      doubles[offsets[name as keyof typeof offsets] / 8] = value
    })
    return session
  }

  const run = (x: Logits, y: NumericArray, grad: Logits) => session(x, y, null, null, null, null, null, grad, null)
  const statusOf = ({ memory }: Session) => new Int32Array(memory, PROBLEM_BYTES + RESULT_BYTES, 1)[0]
  const sumOf = ({ memory }: Session) => new Float64Array(memory, PROBLEM_BYTES, 1)[0]

  it('computes what its memory says, and shares no memory with another', () => {
    const other = addon().open()
    const grad = new Float32Array(size)
    run(logits, targets, grad)
    const expected = loss.valueAndGrad(logits, targets)
    expect(statusOf(session)).toBe(0)
    expect(sumOf(session)).toBe(expected.value)
    expect(grad).toEqual(expected.grad)
    expect(new Uint8Array(other.memory)).toEqual(new Uint8Array(session.memory.byteLength))
  })

  it('keeps its memory', () => {
    const { memory } = session
    expect(memory.byteLength).toBe(PROBLEM_BYTES + RESULT_BYTES + 8)
    expect(() => Object.assign(session, { memory: new ArrayBuffer(0) })).toThrow(TypeError)
    expect(() => Reflect.deleteProperty(session, 'memory')).not.toThrow()
    expect(session.memory).toBe(memory)
  })

  it.each<[string, unknown[], string]>([
    ['null for logits', [null, targets], 'logits is not a typed array'],
    ['no arguments', [], 'logits is not a typed array'],
    ['a plain array', [logits, [2, 0]], 'targets is not a typed array'],
    ['a DataView', [new DataView(new ArrayBuffer(24)), targets], 'logits is not a typed array'],
    ['short logits', [logits.subarray(1), targets], 'logits is shorter than announced (is its buffer detached?)'],
    ['short targets', [logits, targets.subarray(1)], 'targets is shorter than announced (is its buffer detached?)'],
    ['detached logits', [detached(size), targets], 'logits is shorter than announced (is its buffer detached?)'],
    ['logits out of bounds', [outOfBounds(size), targets], 'logits is shorter than announced (is its buffer detached?)'],
  ])('refuses %s', (_, given, message) => {
    const grad = new Float32Array(size).fill(7)
    const [x, y] = given as [Logits, NumericArray]
    expect(() => run(x, y, grad)).toThrow(message)
    expect(grad).toEqual(new Float32Array(size).fill(7))
  })

  it('refuses a short output, and a length that is not a number', () => {
    expect(() => run(logits, targets, new Float32Array(size - 1))).toThrow(RangeError)
    new Float64Array(session.memory, offsets.outer, 1)[0] = NaN
    expect(() => run(logits, targets, new Float32Array(size))).toThrow(RangeError)
  })

  it('refuses an output over another array and leaves both alone, except the gradient exactly on the logits', () => {
    const memory = new Float32Array(2 * size)
    memory.set(logits)
    const before = memory.slice()
    run(memory.subarray(0, size), targets, memory.subarray(size - 1, 2 * size - 1))
    expect(statusOf(session)).toBe(OVERLAP)
    run(memory.subarray(0, size), new Int32Array(memory.buffer, 4 * size, rows), memory.subarray(size))
    expect(statusOf(session)).toBe(OVERLAP)
    expect(memory).toEqual(before)
    run(memory.subarray(0, size), targets, memory.subarray(0, size))
    expect(statusOf(session)).toBe(0)
    expect(memory.subarray(0, size)).toEqual(loss.valueAndGrad(logits, targets).grad)
  })

  it('sees one memory behind two buffers', () => {
    const shared = new SharedArrayBuffer(4 * (size + 1))
    const x = new Float32Array(shared, 0, size)
    const overlapping = new Float32Array(structuredClone(shared), 4, size)
    expect(() => loss.valueAndGrad(x, targets, { grad: overlapping })).toThrow(
      new RangeError('an output overlaps another array in shared memory; expected memory of its own'),
    )
    x.set(logits)
    const same = new Float32Array(structuredClone(shared), 0, size)
    expect(loss.valueAndGrad(x, targets, { grad: same }).grad).toEqual(loss.valueAndGrad(logits, targets).grad)
  })

  it('notices an array that another one takes away while the call is read', () => {
    const x = logits.slice()
    const weights = Array.from({ length: size }, () => 1)
    Object.defineProperty(weights, 0, {
      get() {
        structuredClone(x.buffer, { transfer: [x.buffer] })
        return 1
      },
    })
    expect(() => loss.valueAndGrad(x, targets, { weights })).toThrow('logits has lost its memory, as its buffer is detached (transferred to another thread, perhaps); expected an array that has it')
  })

  it('serves losses in turn, each with its own constants', () => {
    const losses = [0, 2, 5].map((gamma) => new SigmoidFocalLoss({ gamma, backend: 'native' }))
    const first = losses.map((loss) => loss.value(logits, targets))
    expect(new Set(first).size).toBe(3)
    expect(losses.map((loss) => loss.value(logits, targets))).toEqual(first)
  })

  describe('an asynchronous call', () => {
    const call = () => ({ memory: session.memory.slice(0), grad: new Float32Array(size).fill(7) })
    const statusIn = (memory: ArrayBuffer) => new Int32Array(memory, PROBLEM_BYTES + RESULT_BYTES, 1)[0]
    const start = (memory: ArrayBuffer, x: unknown, y: unknown, grad: Logits) =>
      addon().start(memory, x as Logits, y as NumericArray, null, null, null, null, null, grad, null)

    it('computes what its memory says', async () => {
      const { memory, grad } = call()
      const promise = start(memory, logits, targets, grad)
      expect(promise).toBeInstanceOf(Promise)
      expect(await promise).toBe(undefined)
      expect(statusIn(memory)).toBe(0)
      expect(new Float64Array(memory, PROBLEM_BYTES, 1)[0]).toBe(loss.value(logits, targets))
      expect(grad).toEqual(loss.valueAndGrad(logits, targets).grad)
    })

    it('that is cancelled beforehand writes nothing', async () => {
      const { memory, grad } = call()
      new Int32Array(memory, PROBLEM_BYTES + RESULT_BYTES, 2)[1] = 1
      await start(memory, logits, targets, grad)
      expect(statusIn(memory)).toBe(status.cancelled)
      expect(grad).toEqual(new Float32Array(size).fill(7))
    })

    it('refuses what a session refuses, and memory that is none', () => {
      const { memory, grad } = call()
      expect(() => start(memory, null, targets, grad)).toThrow(new TypeError('logits is not a typed array'))
      expect(() => start(memory, logits, targets.subarray(1), grad)).toThrow(RangeError)
      // Not a SharedArrayBuffer: Node.js 20 says that it is no ArrayBuffer, later ones take it for one, and it would do
      for (const none of [null, new ArrayBuffer(8), new Uint8Array(CALL_BYTES)]) {
        expect(() => start(none as ArrayBuffer, logits, targets, grad)).toThrow(new TypeError("memory is not an ArrayBuffer of a call's size"))
      }
      expect(() => start(memory, logits, targets, logits.subarray(0, size - 1))).toThrow(RangeError)
      expect(grad).toEqual(new Float32Array(size).fill(7))
    })

    it('refuses an output over another array', () => {
      const both = new Float32Array(2 * size).fill(7)
      const { memory } = call()
      expect(start(memory, both.subarray(0, size), targets, both.subarray(1, size + 1))).toBe(undefined)
      expect(statusIn(memory)).toBe(OVERLAP)
      expect(both).toEqual(new Float32Array(2 * size).fill(7))
    })
  })
})
