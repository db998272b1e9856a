/** The same bits: run after run, whatever the number of threads, in every worker thread. */
import { afterAll, describe, expect, it } from 'vitest'
import { type BackendName, type Logits, type Numbers, SigmoidFocalLoss, SoftmaxFocalLoss } from 'focal-loss'
import { testedBackends } from '../support/backends.js'
import { runScript } from '../support/children.js'
import { bitsOf, elementwiseNames, elementwiseOf, logitsOf, ofPower, type Precision, precisions } from '../support/losses.js'
import { isas, useMachine } from '../support/native.js'
import { seeded } from '../support/random.js'

/** Around the pack's size, the block's 4032, and the runs of blocks that threads take. */
const sizes = [1, 5, 48, 1000, 4031, 4032, 4033, 8064, 12_101, 100_003]

interface Work {
  readonly logits: Logits
  readonly labels: Numbers
  readonly soft: Numbers
  readonly indices: Numbers
  readonly rows: Logits
}

const CLASSES = 5

function work(size: number, precision: Precision): Work {
  const random = seeded(size)
  const logits = logitsOf(precision, Array.from({ length: size }, () => random.between(-8, 8)))
  const rows = Math.ceil(size / CLASSES)
  return {
    logits,
    labels: Uint8Array.from(logits, () => Number(random() < 0.1)),
    soft: Float32Array.from(logits, () => random()),
    indices: Int32Array.from({ length: rows }, () => random.integer(CLASSES)),
    rows: logitsOf(precision, Array.from({ length: rows * CLASSES }, () => random.between(-8, 8))),
  }
}

/** Everything that a backend makes of some work, as bits. */
function everything({ logits, labels, soft, indices, rows }: Work, backend: BackendName): Record<string, string> {
  const bits: Record<string, string> = {}
  const keep = (what: string, result: object) => {
    for (const [output, numbers] of Object.entries(result) as [string, number | Logits][]) {
      bits[`${what}, ${output}`] = bitsOf(typeof numbers === 'number' ? Float64Array.of(numbers) : numbers)
    }
  }
  for (const power of [2, 3.7]) {
    for (const name of elementwiseNames) {
      const loss = elementwiseOf(name, { ...ofPower[name](power), backend })
      const unreduced = elementwiseOf(name, { ...ofPower[name](power), reduction: 'none', backend })
      keep(`${name} ${power}, labels`, loss.valueAndGrad(logits, labels))
      keep(`${name} ${power}, soft`, loss.valueAndGrad(logits, soft))
      keep(`${name} ${power}, all of soft`, unreduced.valueGradAndHess(logits, soft))
      keep(`${name} ${power}, index`, loss.valueAndGrad(rows, indices))
    }
    keep(`mixture ${power}`, new SigmoidFocalLoss({ gamma: power, softTargets: 'mixture', backend }).valueAndGrad(logits, soft))
    const softmax = new SoftmaxFocalLoss({ gamma: power, backend })
    keep(`softmax ${power}`, softmax.valueAndGrad(rows, indices))
    keep(`softmax ${power}, first axis`, softmax.valueAndGrad(rows, indices, { shape: [CLASSES, indices.length], classAxis: 0 }))
  }
  return bits
}

describe.each(testedBackends())('%s', (backend) => {
  it.each(precisions)('gives the same bits run after run, %s', (precision) => {
    for (const size of [48, 4033, 12_101]) {
      const some = work(size, precision)
      const first = everything(some, backend)
      for (let run = 0; run < 5; run++) expect(everything(some, backend)).toEqual(first)
    }
  })
})

describe.each(isas)('native, $name', ({ isa }) => {
  afterAll(() => useMachine(2))

  it.each(sizes)('gives the same bits on 1, 2, 3 and 8 threads, %d elements', (size) => {
    for (const precision of precisions) {
      const some = work(size, precision)
      useMachine(1, isa)
      const alone = everything(some, 'native')
      for (const threads of [2, 3, 8]) {
        useMachine(threads, isa)
        expect(everything(some, 'native')).toEqual(alone)
      }
    }
  })
})

/** A script whose main thread and four workers all load the package and send the bits of the same calls home. */
const manyWorkers = `
  const { Worker } = require('node:worker_threads')
  const body = \`
    const { SigmoidFocalLoss, SoftmaxFocalLoss, getBackend } = require('focal-loss')
    const logits = Float32Array.from({ length: 100_000 }, (_, k) => 8 * Math.sin(k))
    const labels = Uint8Array.from(logits, (_, k) => k % 2)
    const indices = Int32Array.from({ length: 20_000 }, (_, r) => r % 5)
    const results = []
    for (let round = 0; round < 20; round++) {
      const { value, grad } = new SigmoidFocalLoss().valueAndGrad(logits, labels)
      const softmax = new SoftmaxFocalLoss().valueAndGrad(logits, indices)
      results.push([value, softmax.value, Buffer.from(grad.buffer).toString('hex'), Buffer.from(softmax.grad.buffer).toString('hex')].join())
    }
    const bits = require('node:crypto').createHash('sha256').update(results.join()).digest('hex')
    const outcome = { backend: getBackend(), bits, steady: new Set(results).size }
  \`
  const workers = [1, 2, 3, 4].map(() => new Worker(body + 'require("node:worker_threads").parentPort.postMessage(outcome)', { eval: true }))
  const each = Promise.all(workers.map((worker) => new Promise((resolve, reject) => {
    worker.once('message', resolve)
    worker.once('error', reject)
  })))
  const here = new Function('require', body + 'return outcome')(require)
  each.then((outcomes) => process.stdout.write(JSON.stringify([...outcomes, here])))
`

describe('worker threads', { timeout: 60_000 }, () => {
  it.each(['native', 'wasm'])('load the package several times at once and get the same bits, %s', (backend) => {
    const started = performance.now()
    const { status, stdout, stderr } = runScript('commonjs', manyWorkers, { FOCAL_LOSS_BACKEND: backend, FOCAL_LOSS_THREADS: '3' })
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
    const outcomes = JSON.parse(stdout) as { backend: string; bits: string; steady: number }[]
    expect(outcomes).toHaveLength(5)
    for (const outcome of outcomes) expect(outcome).toEqual({ backend, bits: outcomes[0].bits, steady: 1 })
    expect(performance.now() - started).toBeLessThan(30_000)
  })

  /** Workers that never stop by themselves. */
  const endless = `
    const { Worker } = require('node:worker_threads')
    const body = \`
      const { SigmoidFocalLoss } = require('focal-loss')
      const loss = new SigmoidFocalLoss()
      const logits = new Float32Array(300_000)
      const labels = new Uint8Array(300_000)
      loss.valueAndGrad(logits, labels, { grad: logits })
      require('node:worker_threads').parentPort.postMessage('started')
      for (;;) loss.valueAndGrad(logits, labels, { grad: logits })
    \`
    const workers = [1, 2, 3].map(() => new Worker(body, { eval: true }))
    const started = Promise.all(workers.map((worker) => new Promise((resolve) => worker.once('message', resolve))))
  `

  it('may be terminated in the middle of a call', () => {
    const script = `${endless}
      const { SigmoidFocalLoss } = require('focal-loss')
      const call = () => new SigmoidFocalLoss().value(new Float32Array(100_000), new Uint8Array(100_000))
      const before = call()
      started.then(() => Promise.all(workers.map((worker) => worker.terminate()))).then(() => {
        if (call() !== before) process.exitCode = 1
      })`
    expect(runScript('commonjs', script, { FOCAL_LOSS_BACKEND: 'native', FOCAL_LOSS_THREADS: '4' })).toEqual({
      status: 0,
      signal: null,
      stdout: '',
      stderr: '',
    })
  })

  it('may be running when the process ends', () => {
    const script = `${endless} started.then(() => process.exit(3))`
    const child = runScript('commonjs', script, { FOCAL_LOSS_BACKEND: 'native', FOCAL_LOSS_THREADS: '4' })
    expect(child).toEqual({ status: 3, signal: null, stdout: '', stderr: '' })
  })
})
