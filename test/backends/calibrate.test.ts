/** The choice of 'auto', on backends whose calls take a known time by a clock that only they move. */
import { afterEach, describe, expect, it, vi } from 'vitest'
import type { Backend } from '../../src/backends/backend.js'
import type { BackendName } from '../../src/problem/options.js'
import { BUDGET, crossover, DECIDED } from '../../src/backends/calibrate.js'
import { GPU_BUDGET, GPU_LEAST, gpuCrossover, GpuCrossovers } from '../../src/backends/cuda/crossover.js'
import type { LossConstants } from '../../src/problem/constants.js'
import type { Problem } from '../../src/problem/problem.js'

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
    runAsync: () => Promise.reject(new Error('nothing here is asynchronous')),
    blockRows: () => 1,
  }
}

const microseconds = (anyway: number, each: number): Cost => (logits) => (anyway + each * logits) / 1000

const loss: LossConstants = {
  formula: { name: 'a fake', code: 0, positiveFrom: 0.5, perRow: false, isModulated: false, element: () => undefined, probability: () => undefined },
  inputs: 'logits',
  gamma: 2,
  gammaNegative: 0,
  beta: 0,
  margin: 0,
  constantModulator: false,
  labelSmoothing: 0,
  softTargets: 'linear',
  background: NaN,
  ignoreIndex: null,
  ignoredPosition: null,
  renormalize: false,
  positiveFrom: 0.5,
  oneFrom: 1,
  positionTargets: false,
  positiveWeight: 1,
  negativeWeight: 1,
  classPositive: null,
  classGamma: null,
  classTable: null,
  classParameters: null,
  classNegative: null,
  perClassOption: null,
  isOneScale: true,
}

const crossoverOf = (fast: Backend, plain: Backend): number => crossover(fast, plain, loss, 'float32', () => now, now + BUDGET)

describe('the crossover', () => {
  it.each<[string, [number, number], [number, number]]>([
    ['of the addon', [0.4, 0.001], [0.25, 0.09]],
    ['of an expensive addon', [3, 0.001], [0.3, 0.1]],
    ['of a cheap addon', [0.1, 0.001], [0.3, 0.1]],
    ['of WebAssembly', [0.9, 0.003], [0.25, 0.09]],
    ['of WebAssembly on a slow machine', [4, 0.01], [1, 0.5]],
  ])('leaves no call more than 10 % and 0.2 us above the best, %s', (_, ofFast, ofPlain) => {
    const from = crossoverOf(fake('native', microseconds(...ofFast)), fake('js', microseconds(...ofPlain)))
    for (let logits = 1; logits < 2 * DECIDED; logits++) {
      const cost = ([anyway, each]: [number, number]) => anyway + each * logits
      const chosen = cost(logits >= from ? ofFast : ofPlain)
      expect(chosen, `${logits} logits`).toBeLessThanOrEqual(1.1 * Math.min(cost(ofFast), cost(ofPlain)) + 0.2)
    }
  })

  it('is where the one begins to beat the other', () => {
    // js must gain 0.1 us: 0.1 + 0.1 + 0.1 n against 1 + 0.001 n
    expect(crossoverOf(fake('native', microseconds(1, 0.001)), fake('js', microseconds(0.1, 0.1)))).toBe(9)
  })

  it('goes by what code takes once it is compiled, and by the quiet moments', () => {
    // Fifty times slower for thirty calls, and three times in every other millisecond
    const disturbed: Cost = (logits, call) => (call < 30 ? 50 : now % 2 < 1 ? 3 : 1) * microseconds(0.1, 0.1)(logits, call)
    expect(crossoverOf(fake('native', microseconds(1, 0.001)), fake('js', disturbed))).toBe(9)
  })

  it('lets the fast backend serve where both cost the same', () => {
    expect(crossoverOf(fake('native', microseconds(0.9, 0.1)), fake('js', microseconds(0.9, 0.1)))).toBe(1)
  })

  it('leaves large problems to the fast backend, whatever it costs', () => {
    expect(crossoverOf(fake('native', microseconds(50, 0.1)), fake('js', microseconds(0, 0.1)))).toBe(DECIDED)
  })

  it.each<[string, Cost]>([
    ['fast', microseconds(0.5, 0.001)],
    ['slow', microseconds(400, 10)],
  ])('is known when the time is over, with %s backends', (_, cost) => {
    now = 1000
    crossoverOf(fake('native', cost), fake('js', cost))
    // The call in which the time ends is the last
    expect(now - 1000).toBeGreaterThanOrEqual(BUDGET)
    expect(now - 1000).toBeLessThanOrEqual(BUDGET + cost(64, 0))
    expect(BUDGET).toBeLessThan(50)
  })

  it('does not go by what there was no time for', () => {
    const late = crossover(fake('native', microseconds(1, 1)), fake('js', microseconds(0, 0)), loss, 'float32', () => now, now)
    expect(late).toBe(1)
    const [native, js] = [fake('native', microseconds(60_000, 0)), fake('js', microseconds(0, 0))]
    expect(crossoverOf(native, js)).toBe(1)
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
    const { registerBackend } = await import('../../src/backends/registry.js')
    const fakes = {
      native: fake('native', microseconds(1, 0.001)),
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
    expect(calibrations()).toEqual([
      { loss: 'sigmoid', dtype: 'float32', backend: 'native', from: 9, milliseconds: expect.closeTo(BUDGET, 1) as number },
    ])

    const before = calls()
    loss.value(new Float32Array(3), new Int8Array(3))
    new SigmoidFocalLoss({ gamma: 3 }).value(new Float32Array(8), new Int8Array(8))
    loss.value(new Float32Array(9), new Int8Array(9))
    expect(calls().map((count, i) => count - before[i])).toEqual([1, 0, 2])
    // It runs the same kernel as native, on copies
    expect(wasm.problems).toHaveLength(0)

    loss.value(new Float64Array(2), [0, 1])
    new SoftmaxFocalLoss({ alpha: [1, 2] }).value(new Float32Array(2), Int32Array.of(1))
    expect(calibrations().map(({ loss, dtype }) => [loss, dtype])).toEqual([
      ['sigmoid', 'float32'],
      ['softmax', 'float32'],
      ['sigmoid', 'float64'],
    ])
  })

  it('measures again when there are other backends', async () => {
    const { SigmoidFocalLoss, calibrations } = await fresh()
    const { registerBackend } = await import('../../src/backends/registry.js')
    const loss = new SigmoidFocalLoss()
    loss.value(new Float32Array(2), [0, 1])
    registerBackend('native', { load: () => fake('native', microseconds(2, 0.001)) })
    expect(calibrations()).toEqual([])
    loss.value(new Float32Array(2), [0, 1])
    expect(calibrations().map(({ from }) => from)).toEqual([19])
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

describe('a GPU, for arrays of the host', () => {
  const gpuFrom = (gpu: Cost, fast: Cost) => gpuCrossover(fake('cuda', gpu), fake('native', fast), loss, 'float32', () => now, now + GPU_BUDGET)

  it('serves from where the lines cross, a tenth in favour of the host', () => {
    expect(gpuFrom(microseconds(10, 0.0001), microseconds(0, 0.001))).toBe(GPU_LEAST)
    // 1.1 (500 + n / 10,000) = n / 1000
    expect(gpuFrom(microseconds(500, 0.0001), microseconds(0, 0.001))).toBe(Math.ceil(550 / (0.001 - 0.00011)))
  })

  it('never serves where copies cost more than the host takes', () => {
    expect(gpuFrom(microseconds(10, 0.001), microseconds(0, 0.0005))).toBe(Infinity)
    expect(gpuFrom(microseconds(10, 0.00095), microseconds(0, 0.001))).toBe(Infinity)
  })

  it('never serves where there was no time to find out', () => {
    expect(gpuFrom(microseconds(70_000, 0), microseconds(0, 1))).toBe(Infinity)
    expect(gpuFrom((_, call) => (call === 0 ? 1000 : 0.01), microseconds(0, 1))).toBe(Infinity)
  })

  it('is measured once for each loss and type, and not for smaller calls', () => {
    const crossovers = new GpuCrossovers()
    const gpu = fake('cuda', microseconds(0, 0.0001))
    const fast = fake('native', microseconds(0, 0.001))
    const pays = (logits: Problem['logits']) => crossovers.pays(gpu, fast, { ...gpu.problems[0], loss, logits })
    expect(pays(new Float32Array(GPU_LEAST - 1))).toBe(false)
    expect(pays(new Uint16Array(GPU_LEAST))).toBe(false)
    expect(gpu.problems).toHaveLength(0)
    vi.spyOn(performance, 'now').mockImplementation(() => now)
    expect(pays(new Float32Array(GPU_LEAST))).toBe(true)
    const calls = gpu.problems.length
    expect(pays(new Float32Array(GPU_LEAST))).toBe(true)
    expect(gpu.problems).toHaveLength(calls)
    expect(pays(new Float64Array(GPU_LEAST))).toBe(true)
    expect(gpu.problems.length).toBeGreaterThan(calls)
    expect(crossovers.all).toMatchObject([
      { loss: 'a fake', dtype: 'float32', backend: 'cuda', from: GPU_LEAST },
      { loss: 'a fake', dtype: 'float64', backend: 'cuda', from: GPU_LEAST },
    ])
  })
})
