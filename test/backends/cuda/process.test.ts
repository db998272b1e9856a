/** The built package in processes of its own: which GPU it opens and when, what it says where it cannot, and threads. */
import { afterAll, describe, expect, it } from 'vitest'
import packageJson from '../../../package.json' with { type: 'json' }
import { ABI } from '../../../src/backends/layout.js'
import { runScript } from '../../support/children.js'
import { cudaHere, flagsForCuda } from '../../support/cuda.js'
import { makeApplication } from '../../support/installed.js'

const application = makeApplication({ released: true })
afterAll(() => {
  application.remove()
})

const name = '@focal-loss/linux-x64-gnu-cuda'

/** What a script answers, with the CUDA addon of this machine. */
function answerOf(script: string, variables: Record<string, string> = {}, flags: readonly string[] = flagsForCuda()): unknown {
  const whole = `
    const focal = require('focal-loss')
    const cuda = () => focal.backends().find(({ name }) => name === 'cuda')
    const messageOf = (run) => { try { run(); return null } catch (error) { return error.name + ': ' + error.message } }
    const answer = async () => { ${script} }
    answer().then((it) => process.stdout.write(JSON.stringify(it)))
  `
  const { status, stdout, stderr } = runScript('commonjs', whole, variables, { flags })
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
  return JSON.parse(stdout)
}

/** With this package installed, or none. */
function reasonWith(files: Record<string, string> | undefined): string {
  if (files === undefined) application.uninstall(name)
  else application.install(name, files)
  const script = `
    const { backends, DeviceArray, SigmoidFocalLoss } = require('focal-loss')
    const value = new SigmoidFocalLoss().value(Float32Array.of(1, 2), [0, 1])
    let thrown
    try { DeviceArray.alloc('float32', 1) } catch (error) { thrown = error }
    const { available, reason } = backends().find(({ name }) => name === 'cuda')
    process.stdout.write(JSON.stringify({ runs: value > 0, available, same: thrown.message === reason && thrown.name === 'BackendError', reason }))
  `
  const { status, stdout, stderr } = runScript('commonjs', script, {}, { folder: application.folder })
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
  const { reason, ...rest } = JSON.parse(stdout) as { reason: string }
  expect(rest).toEqual({ runs: true, available: false, same: true })
  return reason
}

/** A package whose devices() does this, and whose other functions nothing. */
const packageOf = (devices: string, abi = ABI) => ({
  'package.json': '{}',
  'index.js': `module.exports = { abi: ${abi}, blockElements: 1, blockRows() {}, open() {}, openAsync() {}, owner() {}, pin() {}, devices() ${devices} }`,
})
const noDevice = (reason: string) => packageOf(`{ return Object.assign([], { reason: ${JSON.stringify(reason)} }) }`)

describe.runIf(process.platform === 'linux' && process.arch === 'x64')('without a GPU, everything else runs, and the reason', { timeout: 30_000 }, () => {
  const end = 'without it, the cuda backend cannot run: use native, wasm or js.'
  const remedy = `For an NVIDIA GPU, run npm install --save-optional ${name}@${packageJson.version}, or build it in a checkout of focal-loss with npm run setup where CMake finds nvcc; ${end}`
  const failed = (failure: string) => `The CUDA addon could not be loaded (Cannot find module '../build/Release/focal_loss_cuda.node'; ${failure}). ${remedy}`

  it.each([
    ['names the package', undefined, failed(`Cannot find module '${name}'`)],
    ['tells of a file that is none', { 'package.json': '{}', 'index.js': "throw new Error('not today\\nat all')" }, failed('not today')],
    ['tells of no driver', noDevice('no NVIDIA driver'), 'CUDA cannot run here: no NVIDIA driver; install the driver of an NVIDIA GPU, or use native, wasm or js.'],
    ['tells of no device', noDevice(''), 'CUDA cannot run here: no NVIDIA driver, or no device; install the driver of an NVIDIA GPU, or use native, wasm or js.'],
    [
      'tells of an old device',
      packageOf("{ return [{ name: 'Old', capability: '6.1', memory: 1, supported: false }] }"),
      'CUDA cannot run on device 0: Old has compute capability 6.1, and the addon has code for 7.5 and later; take another device, or use native, wasm or js.',
    ],
    ['tells of another version', packageOf('{ return [] }', 0), failed(`${name} speaks version 0 of the kernel's interface and this package version ${ABI}`)],
    [
      'tells of something else',
      { 'package.json': '{}', 'index.js': `module.exports = { abi: ${ABI} }` },
      failed(`${name} is not the addon: blockElements is undefined; expected a number`),
    ],
    [
      'tells of GPUs that are none',
      packageOf("{ return ['A100'] }"),
      'CUDA cannot run here: devices() of the addon is an array of length 1, not a list of GPUs; install the driver of an NVIDIA GPU, or use native, wasm or js.',
    ],
    ['tells of a driver that fails', packageOf("{ throw new Error('the driver is too old') }"), 'CUDA cannot run here: the driver is too old; install the driver of an NVIDIA GPU, or use native, wasm or js.'],
  ])('%s', (_, files, reason) => {
    expect(reasonWith(files)).toBe(reason)
  })
})

describe('a GPU', { timeout: 30_000 }, () => {
  const opened = `
    const before = focal.calibrations().filter(({ backend }) => backend === 'cuda').length
    const call = () => new focal.SigmoidFocalLoss().value(new Float32Array(300_000), new Uint8Array(300_000))
    call()
    const after = focal.calibrations().filter(({ backend }) => backend === 'cuda')
    return { before, after: after.map(({ loss, dtype }) => loss + ' ' + dtype), backend: focal.getBackend() }
  `

  it('is never opened by auto, nor by a list of the backends', () => {
    expect(answerOf(`cuda(); ${opened}`)).toEqual({ before: 0, after: [], backend: 'native' })
  })

  it.each([
    ['init()', "await focal.init('cuda')"],
    ['an array', "focal.DeviceArray.alloc('float32', 1)"],
    ['a call', "new focal.SigmoidFocalLoss({ backend: 'cuda' }).value(new Float32Array(1), [1])"],
  ])('that is opened by %s is compared with the host on large calls', (_, open) => {
    expect(answerOf(`${open}; ${opened}`)).toEqual({ before: 0, after: ['sigmoid float32'], backend: 'native' })
  })

  it('serves all calls where it is set', () => {
    const run = `
      const { value, grad } = new focal.SigmoidFocalLoss().valueAndGrad(Float32Array.of(1, -2), [1, 0])
      return { backend: focal.getBackend(), kind: grad.constructor.name, finite: value > 0 }
    `
    const expected = { backend: 'cuda', kind: 'Float32Array', finite: true }
    expect(answerOf(`focal.setBackend('cuda'); ${run}`)).toEqual(expected)
    expect(answerOf(run, { FOCAL_LOSS_BACKEND: 'cuda' })).toEqual(expected)
  })

  it('is described', () => {
    const { name, capability } = cudaHere().addon.devices()[0]
    expect(answerOf('return cuda()')).toEqual({
      name: 'cuda',
      available: true,
      description: `CUDA, device 0, ${name}, compute capability ${capability}`,
      reason: '',
    })
  })

  it('that there is none of is a mistake in the environment', () => {
    const last = cudaHere().addon.devices().length - 1
    const expected = (value: string) => `FOCAL_LOSS_CUDA_DEVICE is '${value}'; expected an integer from 0 to ${last}, the index of a GPU here`
    for (const value of ['64', '-1', 'all', '0.5']) expect(answerOf('return cuda().reason', { FOCAL_LOSS_CUDA_DEVICE: value })).toBe(expected(value))
    expect(answerOf('return cuda().available', { FOCAL_LOSS_CUDA_DEVICE: String(last) })).toBe(true)
    // Who uses no GPU is not told
    expect(answerOf('return focal.getBackend()', { FOCAL_LOSS_CUDA_DEVICE: '64' })).toBe('native')
  })

  it('has its memory counted by the collector, which needs no other reason to free arrays', () => {
    const script = `
      const one = () => focal.DeviceArray.alloc('uint8', 2 ** 24)
      for (let i = 0; i < 200; i++) {
        one()
        await new Promise(setImmediate)
      }
      return 'never full'
    `
    // Of a heap this small, half is what the collector lets come together outside of it
    expect(answerOf(script, {}, [...flagsForCuda(), '--max-old-space-size=256'])).toBe('never full')
  })

  it('is closed by the end of the process, whatever is left on it', () => {
    const script = "focal.DeviceArray.alloc('float32', 1000); focal.pin(new Float32Array(1000)); setTimeout(() => process.exit(0), 10)"
    expect(answerOf(`${script}; return 'still here'`)).toBe('still here')
  })
})

describe('threads', { timeout: 60_000 }, () => {
  const prelude = `
    const { Worker } = require('node:worker_threads')
    const inWorker = (body) => new Worker('const { parentPort } = require("node:worker_threads"); const focal = require("focal-loss"); ' + body, { eval: true })
    const answerOf = (worker) => new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject))
  `

  it('have streams of their own, and the same bits', () => {
    const work = `
      const x = focal.DeviceArray.from(Float32Array.from({ length: 100_000 }, (_, k) => 8 * Math.sin(k)))
      const y = focal.DeviceArray.from(Uint8Array.from({ length: 100_000 }, (_, k) => k % 2))
      const bits = new Set()
      for (let round = 0; round < 10; round++) {
        const { value, grad } = new focal.SigmoidFocalLoss().valueAndGrad(x, y)
        bits.add(value + Buffer.from(grad.toHost().buffer).toString('base64'))
        grad.dispose()
      }
      const result = [...bits]
    `
    const script = `
      ${prelude}
      ${work}
      const others = await Promise.all([1, 2, 3].map(() => answerOf(inWorker(${JSON.stringify(`${work} parentPort.postMessage(result)`)}))))
      return { here: result.length, same: others.every((each) => each.length === 1 && each[0] === result[0]) }
    `
    expect(answerOf(script)).toEqual({ here: 1, same: true })
  })

  it('may use arrays of others by their addresses', () => {
    const worker = "parentPort.once('message', (x) => parentPort.postMessage(new focal.SigmoidFocalLoss().value(x, [1, 0])))"
    const script = `
      ${prelude}
      const { ptr, length, dtype, device } = globalThis.kept = focal.DeviceArray.from(Float32Array.of(1, -2))
      const worker = inWorker(${JSON.stringify(worker)})
      worker.postMessage({ ptr, length, dtype, device })
      const theirs = await answerOf(worker)
      return theirs === new focal.SigmoidFocalLoss().value(globalThis.kept, [1, 0])
    `
    expect(answerOf(script)).toBe(true)
  })

  it('may end at any time', () => {
    const worker = `
      const x = focal.DeviceArray.alloc('float32', 300_000)
      const y = new Uint8Array(300_000)
      parentPort.postMessage('started')
      for (;;) new focal.SigmoidFocalLoss().valueAndGrad(x, y, { grad: x })
    `
    const script = `
      ${prelude}
      const workers = [1, 2, 3].map(() => inWorker(${JSON.stringify(worker)}))
      await Promise.all(workers.map(answerOf))
      await Promise.all(workers.map((worker) => worker.terminate()))
      return new focal.SigmoidFocalLoss().value(focal.DeviceArray.from(Float32Array.of(1)), [1]) > 0
    `
    expect(answerOf(script)).toBe(true)
  })

  it('go on while calls are under way', () => {
    const script = `
      const x = focal.DeviceArray.alloc('float32', 8_000_000)
      const y = focal.DeviceArray.alloc('uint8', 8_000_000)
      let turns = 0
      const timer = setInterval(() => turns++, 1)
      const results = await Promise.all([1, 2, 3].map(() => new focal.SigmoidFocalLoss().valueAndGradAsync(x, y)))
      clearInterval(timer)
      const whole = new focal.SigmoidFocalLoss().value(x, y)
      return { turned: turns > 0, same: results.every(({ value }) => value === whole) }
    `
    expect(answerOf(script)).toEqual({ turned: true, same: true })
  })
})
