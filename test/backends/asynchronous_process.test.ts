/** What a process may do while asynchronous calls are under way: collect garbage, end, end a worker thread. */
import { describe, expect, it } from 'vitest'
import { testedBackends } from '../support/backends.js'
import { runScript } from '../support/children.js'
import { flagsForCuda } from '../support/cuda.js'

/** In a process of its own: `calls` under way, each seen right or wrong at its end. */
const prelude = `
  const { SigmoidFocalLoss } = require('focal-loss')
  const loss = new SigmoidFocalLoss()
  const start = (length) => {
    const x = new Float32Array(length)
    for (let k = 0; k < length; k++) x[k] = (k % 4001) / 400 - 5
    return loss.valueAndGradAsync(x, new Uint8Array(length), { grad: new Float32Array(length) })
  }
`

const ended = { status: 0, signal: null, stderr: '' }

describe.each(testedBackends())('%s', (backend) => {
  const run = (script: string, ...flags: string[]) => runScript('commonjs', prelude + script, { FOCAL_LOSS_BACKEND: backend }, { flags: [...flags, ...(backend === 'cuda' ? flagsForCuda() : [])] })
  const large = backend === 'js' ? 1e6 : 2e7

  it('waits for its calls before it ends', () => {
    expect(run(`start(${large}).then(({ value }) => console.log(value > 0))`)).toEqual({ ...ended, stdout: 'true\n' })
  }, 30_000)

  // Nothing in the program holds the arrays any more, and others are put where they were as soon as they are freed
  it('holds the arrays of a call, however much garbage is collected', () => {
    const script = `
      const rounds = async () => {
        const expected = await start(300000)
        for (let round = 0; round < 10; round++) {
          const promises = Array.from({ length: 5 }, () => start(300000))
          for (let i = 0; i < 5; i++) {
            gc()
            Array.from({ length: 8 }, () => new Float32Array(300000).fill(NaN))
            await new Promise((resolve) => setTimeout(resolve, 0))
          }
          for (const { value, grad } of await Promise.all(promises)) {
            if (value !== expected.value || Buffer.compare(Buffer.from(grad.buffer), Buffer.from(expected.grad.buffer)) !== 0) throw new Error('wrong')
          }
        }
        console.log('right')
      }
      rounds()
    `
    expect(run(script, '--expose-gc')).toEqual({ ...ended, stdout: 'right\n' })
  }, 60_000)

  // Whoever gets a buffer may drop it: then its memory would be freed, and one that is as large is no longer the process's
  it('keeps the memory of a call whose buffers are transferred, and says so', () => {
    const script = `
      const rounds = async () => {
        for (let round = 0; round < 4; round++) {
          const [x, y, grad] = [new Float32Array(${large}), new Uint8Array(${large}), new Float32Array(${large})]
          const call = loss.valueAndGradAsync(x, y, { grad }).then(({ value }) => value, String)
          await new Promise((resolve) => setTimeout(resolve, 5))
          for (const { buffer } of [x, y, grad]) structuredClone(null, { transfer: [buffer] })
          gc()
          const said = await call
          if (!(said > 0 || /has length 0; expected ${large} until the promise settles/.test(said))) throw new Error(said)
        }
        console.log('right')
      }
      rounds()
    `
    expect(run(script, '--expose-gc')).toEqual({ ...ended, stdout: 'right\n' })
  }, 60_000)

  it('may end in the middle of a call', () => {
    for (const after of [0, 1, 10]) {
      expect(run(`for (let i = 0; i < 3; i++) start(${large}); setTimeout(() => process.exit(3), ${after})`)).toEqual({ ...ended, status: 3, stdout: '' })
    }
  }, 60_000)

  it('may end a worker thread in the middle of a call, and go on itself', () => {
    const script = `
      const { Worker } = require('node:worker_threads')
      const inWorker = ${JSON.stringify(prelude)} + \`
        Array.from({ length: 2 }, () => start(${large}))
        require('node:worker_threads').parentPort.postMessage('under way')
        setInterval(() => undefined, 1000)
      \`
      const rounds = async () => {
        for (let round = 0; round < 5; round++) {
          const worker = new Worker(inWorker, { eval: true })
          await new Promise((resolve) => worker.once('message', resolve))
          await new Promise((resolve) => setTimeout(resolve, 5 * round))
          const mine = start(100000)
          await worker.terminate()
          if (!((await mine).value > 0)) throw new Error('wrong')
        }
        console.log('right')
      }
      rounds()
    `
    expect(run(script)).toEqual({ ...ended, stdout: 'right\n' })
  }, 60_000)
})
