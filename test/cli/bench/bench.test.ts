import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { SyntaxValidator } from 'fast-xml-validator'
import { afterAll, describe, expect, it } from 'vitest'
import type { Contestant } from '../../../bench/contestants.js'
import { plainFocalLoss } from '../../../bench/peers/plain_js.js'
import { autoExcesses, ownRatios, peerRatios } from '../../../bench/ratios.js'
import { jobsOf, type Row } from '../../../bench/run.js'
import { timeAll } from '../../../bench/suite.js'
import { cases, hasSize, makeProblem } from '../../../src/cli/bench/cases.js'
import { expectEqual, referenceOf } from '../../../src/cli/bench/check.js'
import { measurement } from '../../../src/cli/bench/result.js'
import { summarise } from '../../../src/cli/bench/statistics.js'
import { significant } from '../../../src/cli/output/numbers.js'
import { testedBackends } from '../../support/backends.js'
import { lossNames } from '../../support/losses.js'

const main = fileURLToPath(new URL('../../../src/cli/main.ts', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'focal-loss-bench-test-'))

afterAll(() => rmSync(folder, { recursive: true }))

describe('statistics', () => {
  it.each([
    { sample: [5], expected: { samples: 1, minimum: 5, lowerQuartile: 5, median: 5, upperQuartile: 5 } },
    { sample: [4, 1, 3, 2], expected: { samples: 4, minimum: 1, lowerQuartile: 1.75, median: 2.5, upperQuartile: 3.25 } },
    { sample: [10, 9, 1, 2, 3], expected: { samples: 5, minimum: 1, lowerQuartile: 2, median: 3, upperQuartile: 9 } },
    // One outlier moves the mean from 2 to 201, and none of these
    { sample: [2, 2, 2, 2, 2, 1000], expected: { samples: 6, minimum: 2, lowerQuartile: 2, median: 2, upperQuartile: 2 } },
    // Numbers, not words: sorted as text, 10 would come before 9
    { sample: [9, 10, 11], expected: { samples: 3, minimum: 9, lowerQuartile: 9.5, median: 10, upperQuartile: 10.5 } },
  ])('of $sample', ({ sample, expected }) => {
    expect(summarise(sample)).toEqual(expected)
  })

  it('of nothing are an error', () => {
    expect(() => summarise([])).toThrow(RangeError)
  })

  it('make rates: 80 float32 in 160 ns, with memcpy at 8 GB/s', () => {
    // 2 x 320 bytes of logits and gradient and one index of 4 bytes
    const row = measurement(makeProblem(cases[0], 'float32', 80), 'native', [1, 160e-9, 100e-9], 8e9)
    expect(row.nanosecondsPerElement).toBeCloseTo(2, 12)
    expect(row.elementsPerSecond).toBeCloseTo(5e8, 0)
    expect(row.gigabytesPerSecond).toBeCloseTo(644 / 160, 12)
    expect(row.ofMemcpy).toBeCloseTo(644 / 160 / 8, 12)
  })

  it('are shown with three digits', () => {
    expect([1234567.8, 123.4, 12.34, 0.012345, 0].map(significant)).toEqual(['1,234,568', '123', '12.3', '0.0123', '0'])
  })
})

describe('the check before the timing', () => {
  const exact = { sum: 10, grad: [1, -0.5, 0] }
  it.each([
    { what: 'a sum that is off', actual: { sum: 10.001, grad: [1, -0.5, 0] }, message: /sum 10.001; expected 10 / },
    { what: 'a sum that is NaN', actual: { sum: NaN, grad: [1, -0.5, 0] }, message: /sum NaN/ },
    { what: 'a gradient that is off', actual: { sum: 10, grad: [1, -0.5, 1e-4] }, message: /grad\[2\] = 0.0001; expected 0 / },
    { what: 'a gradient with the wrong sign', actual: { sum: 10, grad: [1, 0.5, 0] }, message: /grad\[1\]/ },
    { what: 'a gradient that was not written', actual: { sum: 10, grad: [NaN, -0.5, 0] }, message: /grad\[0\] = NaN/ },
    { what: 'a gradient that is too short', actual: { sum: 10, grad: [1, -0.5] }, message: /2 gradients; expected 3/ },
  ])('rejects $what', ({ actual, message }) => {
    expect(() => expectEqual('somebody', actual, exact)).toThrow(message)
  })

  it('accepts rounding, and a forward pass without gradient', () => {
    expectEqual('somebody', { sum: 10 + 1e-6, grad: [1 - 1e-6, -0.5, 1e-7] }, exact)
    expectEqual('somebody', { sum: 10, grad: null }, exact)
  })

  it('lets every backend pass on every problem, and no other loss', () => {
    for (const loss of cases) {
      for (const dtype of ['float32', 'float64'] as const) {
        const problem = makeProblem(loss, dtype, loss.classes * 12)
        const { logits, targets } = problem
        const reference = referenceOf(problem)
        for (const name of testedBackends()) {
          const { value, grad } = loss.make(name).valueAndGrad(logits, targets)
          expectEqual(name, { sum: value, grad }, reference)
        }
        for (const other of cases.filter(({ targets }) => targets === loss.targets)) {
          if (other === loss || (other.name.startsWith('softmax') && loss.name.startsWith('softmax'))) continue
          const { value, grad } = other.make('js').valueAndGrad(logits, targets)
          expect(() => expectEqual(other.name, { sum: value, grad }, reference)).toThrow(/expected/)
        }
      }
    }
  })
})

describe('the problems', () => {
  it('are of every loss', () => {
    const classes = new Set(cases.map((loss) => loss.make('js').constructor.name))
    // DistributionFocalLoss is the softmax with other targets
    expect([...classes].toSorted()).toEqual([...lossNames, 'AsymmetricSoftmaxLoss'].toSorted())
  })

  it('are the same with class indices and with labels of 0 and 1', () => {
    const [indices, labels] = ['sigmoid', 'dense-hard'].map((name) => {
      const loss = cases.find((one) => one.name === name)
      if (loss === undefined) throw new Error(name)
      return makeProblem(loss, 'float32', 8000)
    })
    expect(labels.logits).toEqual(indices.logits)
    expect(referenceOf(labels)).toEqual(referenceOf(indices))
    // One row in 50 or so has a class
    expect(indices.targets.filter((index) => index >= 0).length).toBeGreaterThan(0)
    expect(indices.targets.filter((index) => index >= 0).length).toBeLessThan(10)
  })

  it('need whole rows where there are class indices', () => {
    expect(cases.filter((loss) => !hasSize(loss, 7)).map(({ targets }) => targets)).toEqual(Array(5).fill('class-index'))
    for (const loss of cases) expect(hasSize(loss, 7)).toBe(loss.targets !== 'class-index')
    expect(makeProblem(cases[2], 'float64', 7).logits.every(Number.isFinite)).toBe(true)
  })

  it('are solved by the plain loop that is timed as a peer', () => {
    const problem = makeProblem(cases[0], 'float32', 8000)
    const grad = new Float32Array(8000)
    const sum = plainFocalLoss(problem.logits as Float32Array, problem.targets as Int32Array, 80, grad)
    expectEqual('plain loop', { sum, grad }, referenceOf(problem))
  })

  it('go to the peers that know them', () => {
    const peer = { loss: 'sigmoid', largest: 960, tolerance: 1, contestant: () => contestant('nobody') } as const
    const jobs = jobsOf({
      losses: cases.slice(0, 2),
      sizes: [7, 80, 960, 8000],
      dtypes: ['float32', 'float64'],
      ours: [],
      peers: [peer],
      effort: { rounds: 1, seconds: 1 },
    })
    expect(jobs).toHaveLength(12)
    const asked = jobs.filter(({ peers }) => peers.length > 0)
    expect(asked.map(({ loss, dtype, size }) => [loss.name, dtype, size])).toEqual([
      ['sigmoid', 'float32', 80],
      ['sigmoid', 'float32', 960],
    ])
  })
})

describe('the suite', () => {
  const effort = { rounds: 2, seconds: 0.01 }

  it('times calls, promises and other processes, round after round', async () => {
    const seen: string[] = []
    const busy = () => {
      const end = performance.now() + 1
      while (performance.now() < end);
    }
    const contestants = [
      { ...contestant('call'), work: { kind: 'sync', call: busy } },
      { ...contestant('promise'), work: { kind: 'async', call: () => new Promise((resolve) => setTimeout(resolve, 2)) } },
      { ...contestant('elsewhere'), work: { kind: 'elsewhere', sample: (seconds: number) => Promise.resolve([seconds]) } },
    ] satisfies Contestant[]
    const [call, promise, elsewhere] = await timeAll(contestants, effort, (who) => seen.push(who))
    // Every other round backwards
    expect(seen).toEqual(['call', 'promise', 'elsewhere', 'elsewhere', 'promise', 'call'])
    expect(summarise(call).minimum).toBeGreaterThan(0.9e-3)
    expect(summarise(call).minimum).toBeLessThan(5e-3)
    expect(summarise(promise).minimum).toBeGreaterThan(0.9e-3)
    expect(elsewhere).toEqual([0.01, 0.01])
  })

  it('fails where a contestant does', async () => {
    const failing = { kind: 'sync', call: () => JSON.parse('?') as unknown } as const
    await expect(timeAll([{ ...contestant('failing'), work: failing }], effort, () => undefined)).rejects.toThrow(SyntaxError)
  })
})

describe('ratios', () => {
  const rows = [
    row({ who: 'native, 1 thread', seconds: 1 }),
    row({ who: 'wasm', seconds: 3 }),
    row({ who: 'auto', seconds: 1.2 }),
    row({ who: 'native, 1 thread', loss: 'dense-hard', seconds: 2 }),
    row({ who: 'a library', loss: 'dense-hard', role: 'peer', seconds: 60 }),
    row({ who: 'a library', loss: 'dense-hard', role: 'peer', seconds: 1, elements: 8 }),
  ]

  it('of peers, on the same arrays and on the same problem', () => {
    const shared = { peer: 'a library', elements: 80, loss: 'dense-hard' }
    expect(peerRatios(rows)).toEqual([
      { ...shared, against: 'dense-hard', times: { 'native, 1 thread': 30 } },
      { ...shared, against: 'sigmoid', times: { 'native, 1 thread': 60, wasm: 20 } },
    ])
  })

  it('of our own', () => {
    expect(ownRatios(rows)).toEqual([{ loss: 'sigmoid', dtype: 'float32', elements: 80, times: { wasm: 3, auto: 1.2 } }])
  })

  it("of 'auto'", () => {
    const [{ best, factor, seconds, within }] = autoExcesses(rows)
    expect({ best, within }).toEqual({ best: 'native, 1 thread', within: false })
    expect(factor).toBeCloseTo(1.2, 12)
    expect(seconds).toBeCloseTo(0.2, 12)
  })
})

describe('focal-loss bench', { timeout: 30_000 }, () => {
  const backends = testedBackends()

  function bench(...args: string[]) {
    const started = performance.now()
    const { status, stdout, stderr } = spawnSync(process.execPath, ['--import', 'tsx', main, 'bench', ...args], { encoding: 'utf8' })
    return { status, stdout, stderr, seconds: (performance.now() - started) / 1000 }
  }

  it('writes JSON and a chart', () => {
    const svg = join(folder, 'chart.svg')
    const limits = ['--backends', backends.join(','), '--sizes', '80,8000', '--seconds', '0.2']
    const { status, stdout, stderr, seconds } = bench(...limits, '--json', '--svg', svg)
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
    expect(seconds).toBeLessThan(10)
    const { machine, measurements } = JSON.parse(stdout) as { machine: { runtime: string }; measurements: Row[] }
    expect(machine.runtime).toBe(`Node.js ${process.versions.node}`)
    expect(measurements.map(({ who, elements }) => [who, elements])).toEqual(
      [80, 8000].flatMap((size) => backends.map((name) => [name, size])),
    )
    for (const { secondsPerCall, ofMemcpy } of measurements) {
      expect(secondsPerCall.samples).toBeGreaterThanOrEqual(3)
      expect(secondsPerCall.minimum).toBeGreaterThan(0)
      expect(ofMemcpy).toBeGreaterThan(0)
    }
    const drawn = readFileSync(svg, 'utf8')
    expect(SyntaxValidator.validate(drawn)).toBe(true)
    expect(drawn).not.toMatch(/NaN|Infinity|undefined/)
    expect(drawn.match(/<polyline/g)).toHaveLength(backends.length)
  })

  it('prints a table for each loss', () => {
    const { status, stdout } = bench('--backends', 'js', '--losses', 'dense-hard,softmax-80', '--sizes', '80', '--seconds', '0.05')
    expect(status).toBe(0)
    expect(stdout).toMatch(/a label of 0 or 1 per logit[^]*float32 +80 +js[^]*softmax over 80[^]*float32 +80 +js/)
  })

  it('refuses wrong usage with status 2', () => {
    for (const args of [['--sizes', '0'], ['--losses', 'hinge'], ['--backends', 'gpu'], ['--seconds', '-1'], ['--sizes', '7']]) {
      const { status, stdout, stderr } = bench(...args)
      expect({ args, status, stdout }).toEqual({ args, status: 2, stdout: '' })
      expect(stderr).toContain(args[1] === '7' ? 'multiple' : args[1])
    }
  })

  it('fails with status 1 where the chart cannot be written', () => {
    const { status, stderr } = bench('--backends', 'js', '--sizes', '80', '--seconds', '0.01', '--svg', join(folder, 'missing', 'chart.svg'))
    expect(status).toBe(1)
    expect(stderr).toMatch(/^focal-loss: ENOENT/)
  })
})

function contestant(who: string): Contestant {
  return { who, threads: 1, role: 'ours', outcome: null, work: { kind: 'sync', call: () => undefined } }
}

function row(given: { who: string; seconds: number; loss?: string; role?: Row['role']; elements?: number }): Row {
  const { who, seconds, loss = 'sigmoid', role = 'ours', elements = 80 } = given
  return {
    who,
    loss,
    role,
    elements,
    dtype: 'float32',
    threads: 1,
    secondsPerCall: summarise([seconds]),
    nanosecondsPerElement: (seconds / elements) * 1e9,
    elementsPerSecond: elements / seconds,
    gigabytesPerSecond: 1,
    ofMemcpy: null,
  }
}
