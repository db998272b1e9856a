/** The choice of 'auto', on backends whose calls take a known time by a clock that only they move. */
import { afterEach, describe, expect, it, vi } from 'vitest'
import type { Backend, BackendName } from '../src/backends/backend.js'
import { BUDGET, calibrate, DECIDED, type Step } from '../src/backends/calibrate.js'
import type { LossConstants, Problem } from '../src/problem.js'

/** In milliseconds: what a call of so many logits takes, the first or a later one. */
type Cost = (logits: number, call: number) => number

let now = 0

function fake(name: BackendName, cost: Cost): Backend & { readonly problems: Problem[] } {
  const problems: Problem[] = []
  return {
    name,
    description: 'a fake',
    problems,
    run(problem) {
      now += cost(problem.logits.length, problems.length)
      problems.push(problem)
      return { sum: 0, elements: 1, rows: 1, positives: 0 }
    },
  }
}

const microseconds = (anyway: number, each: number): Cost => (logits) => (anyway + each * logits) / 1000

const loss: LossConstants = {
  formula: { name: 'a fake', code: 0, perRow: false, element: () => undefined },
  gamma: 2,
  labelSmoothing: 0,
  softTargets: 'linear',
  background: NaN,
  ignoreIndex: NaN,
  positiveWeight: 1,
  negativeWeight: 1,
  classPositive: null,
  classNegative: null,
}

const stepsOf = (...candidates: Backend[]): Step[] => calibrate(candidates, loss, 'float32', () => now, now + BUDGET)
const serving = (steps: Step[], logits: number): Backend => steps.filter(({ from }) => from <= logits).slice(-1)[0].backend
const named = (steps: readonly Step[]) => steps.map(({ from, backend }) => [from, backend.name])

describe('calibration', () => {
  it.each<[string, Record<string, [number, number]>]>([
    ['as on a desktop', { native: [0.9, 0.001], wasm: [0.6, 0.003], js: [0.3, 0.1] }],
    ['with an expensive call of the addon', { native: [3, 0.001], wasm: [0.6, 0.003], js: [0.3, 0.1] }],
    ['with a cheap call of the addon', { native: [0.3, 0.001], wasm: [0.6, 0.003], js: [0.3, 0.1] }],
    ['with an addon of the speed of WebAssembly', { native: [0.9, 0.003], wasm: [0.6, 0.003], js: [0.3, 0.1] }],
    ['without the addon', { wasm: [0.6, 0.003], js: [0.3, 0.1] }],
  ])('is never more than 10 % and 0.2 us from the best, %s', (_, costs) => {
    const candidates = Object.entries(costs).map(([name, [anyway, each]]) => fake(name as BackendName, microseconds(anyway, each)))
    const steps = stepsOf(...candidates)
    expect(steps[0].from).toBe(1)
    for (let logits = 1; logits < 2 * DECIDED; logits++) {
      const cost = ({ name }: Backend) => costs[name][0] + costs[name][1] * logits
      const best = Math.min(...candidates.map(cost))
      expect(cost(serving(steps, logits)), `${logits} logits`).toBeLessThanOrEqual(1.1 * best + 0.2)
    }
  })

  it('finds where the one begins to beat the other', () => {
    const native = fake('native', microseconds(1, 0.001))
    const js = fake('js', microseconds(0.15, 0.1))
    // js is in doubt 0.05 us dearer: 0.2 + 0.1 n against 1 + 0.001 n
    expect(named(stepsOf(native, js))).toEqual([[1, 'js'], [9, 'native']])
  })

  it('goes by what code takes once it is compiled, and by the quiet moments', () => {
    const native = fake('native', microseconds(1, 0.001))
    // Fifty times slower for thirty calls, and three times in every other millisecond
    const disturbed: Cost = (logits, call) => (call < 30 ? 50 : now % 2 < 1 ? 3 : 1) * microseconds(0.15, 0.1)(logits, call)
    expect(named(stepsOf(native, fake('js', disturbed)))).toEqual([[1, 'js'], [9, 'native']])
  })

  it('lets the first of equals serve', () => {
    const [native, wasm] = (['native', 'wasm'] as const).map((name) => fake(name, microseconds(0.9, 0.002)))
    expect(named(stepsOf(native, wasm))).toEqual([[1, 'native']])
  })

  it('leaves large problems to the first candidate, whatever it costs', () => {
    expect(named(stepsOf(fake('native', microseconds(50, 0.1)), fake('js', microseconds(0, 0.1))))).toEqual([
      [1, 'js'],
      [DECIDED, 'native'],
    ])
  })

  it.each<[string, Cost]>([
    ['fast', microseconds(0.5, 0.001)],
    ['slow', microseconds(400, 10)],
  ])('ends when its time is over, with %s backends', (_, cost) => {
    now = 1000
    stepsOf(fake('native', cost), fake('wasm', cost), fake('js', cost))
    // The call in which the time ends is the last
    expect(now - 1000).toBeGreaterThanOrEqual(BUDGET)
    expect(now - 1000).toBeLessThanOrEqual(BUDGET + cost(256, 0))
    expect(BUDGET).toBeLessThan(50)
  })

  it('does not go by what it had no time for', () => {
    const late = calibrate([fake('native', microseconds(1, 1)), fake('js', microseconds(0, 0))], loss, 'float32', () => now, now)
    expect(named(late)).toEqual([[1, 'native']])
    const [native, js] = [fake('native', microseconds(60_000, 0)), fake('js', microseconds(0, 0))]
    expect(named(stepsOf(native, js))).toEqual([[1, 'native']])
    expect(js.problems).toHaveLength(0)
  })

  it('does not time one backend alone', () => {
    const js = fake('js', microseconds(1, 1))
    expect(named(stepsOf(js))).toEqual([[1, 'js']])
    expect(js.problems).toHaveLength(0)
  })
})

describe("'auto'", () => {
  afterEach(() => {
    vi.unstubAllEnvs()
    vi.restoreAllMocks()
  })

  /** The package as a fresh process sees it, with these three backends. */
  async function fresh(setting = '') {
    vi.stubEnv('FOCAL_LOSS_BACKEND', setting)
    vi.resetModules()
    vi.spyOn(performance, 'now').mockImplementation(() => now)
    const { registerBackend } = await import('../src/backends/choose.js')
    const fakes = {
      native: fake('native', microseconds(0.995, 0.001)),
      wasm: fake('wasm', microseconds(0.5, 0.01)),
      js: fake('js', microseconds(0.1, 0.1)),
    }
    for (const backend of Object.values(fakes)) registerBackend(backend.name, { load: () => backend })
    return { ...(await import('focal-loss/wasm')), fakes }
  }

  it('measures before the first call that is in question, and only once for a loss and a type', async () => {
    const { SigmoidFocalLoss, SoftmaxFocalLoss, calibrations, getBackend, fakes } = await fresh()
    const { native, wasm, js } = fakes
    const calls = () => [native, wasm, js].map(({ problems }) => problems.length)
    const loss = new SigmoidFocalLoss()
    loss.value(new Float32Array(DECIDED), new Int8Array(DECIDED))
    expect(getBackend()).toBe('native')
    expect(calls()).toEqual([1, 0, 0])
    expect(calibrations()).toEqual([])

    const logits = new Float32Array(2)
    loss.value(logits, [0, 1])
    expect(js.problems.at(-1)?.logits).toBe(logits)
    const steps = [{ from: 1, backend: 'js' }, { from: 4, backend: 'wasm' }, { from: 50, backend: 'native' }]
    expect(calibrations()).toEqual([{ loss: 'sigmoid', dtype: 'float32', milliseconds: expect.closeTo(BUDGET, 1) as number, steps }])

    const before = calls()
    loss.value(new Float32Array(3), new Int8Array(3))
    new SigmoidFocalLoss({ gamma: 3 }).value(new Float32Array(4), new Int8Array(4))
    loss.value(new Float32Array(49), new Int8Array(49))
    loss.value(new Float32Array(50), new Int8Array(50))
    expect(calls().map((count, i) => count - before[i])).toEqual([1, 2, 1])

    loss.value(new Float64Array(2), [0, 1])
    new SoftmaxFocalLoss({ alpha: [1, 2] }).value(new Float32Array(2), [1])
    expect(calibrations().map(({ loss, dtype }) => [loss, dtype])).toEqual([
      ['sigmoid', 'float32'],
      ['softmax', 'float32'],
      ['sigmoid', 'float64'],
    ])
  })

  it('measures again when there are other backends', async () => {
    const { SigmoidFocalLoss, calibrations } = await fresh()
    const { registerBackend } = await import('../src/backends/choose.js')
    const loss = new SigmoidFocalLoss()
    loss.value(new Float32Array(2), [0, 1])
    registerBackend('js', { load: () => fake('js', microseconds(0.1, 0.021)) })
    expect(calibrations()).toEqual([])
    loss.value(new Float32Array(2), [0, 1])
    expect(calibrations()[0].steps.map(({ from }) => from)).toEqual([1, 32, 50])
  })

  it('is not asked where the loss, setBackend or the environment names a backend', async () => {
    const { SigmoidFocalLoss, calibrations, setBackend } = await fresh('native')
    const logits = new Float32Array(2)
    new SigmoidFocalLoss().value(logits, [0, 1])
    setBackend('wasm')
    new SigmoidFocalLoss().value(logits, [0, 1])
    new SigmoidFocalLoss({ backend: 'js' }).value(logits, [0, 1])
    expect(calibrations()).toEqual([])
    new SigmoidFocalLoss({ backend: 'auto' }).value(logits, [0, 1])
    expect(calibrations()).toHaveLength(1)
  })
})
