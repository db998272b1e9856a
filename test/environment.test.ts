/** The built package in processes of its own: environment variables, silence, `import` and `require`. */
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { isas } from './support/native.js'
import { runScript } from './support/children.js'

/** Says what ran, or what was thrown; nothing else may appear on stdout or stderr. */
const report = `
  let outcome
  try {
    const { value, grad } = new SigmoidFocalLoss({ gamma: 2 }).valueAndGrad(Float32Array.of(1, -2, 0.5), [1, 0, 1])
    const softmax = new SoftmaxFocalLoss().value(Float32Array.of(1, -2, 0.5, 0), Int32Array.of(1, 0))
    const native = backends().find(({ name }) => name === 'native')
    outcome = { backend: getBackend(), native: native.description || native.reason, value, grad: [...grad], softmax }
  } catch (error) {
    outcome = { error: error.name + ': ' + error.message }
  }
  process.stdout.write(JSON.stringify(outcome))
`
const names = 'SigmoidFocalLoss, SoftmaxFocalLoss, backends, getBackend'
const imported = (entry = 'focal-loss') => `import { ${names} } from '${entry}'; ${report}`
const required = (entry = 'focal-loss') => `const { ${names} } = require('${entry}'); ${report}`

interface Outcome {
  backend: string
  native: string
  value: number
  grad: number[]
  softmax: number
  error?: string
}

function outcomeOf(variables: Record<string, string>, kind: 'module' | 'commonjs' = 'module', entry = 'focal-loss'): Outcome {
  const { status, stdout, stderr } = runScript(kind, kind === 'module' ? imported(entry) : required(entry), variables)
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
  return JSON.parse(stdout) as Outcome
}

/** The built package's `focal-loss/wasm`, in a process that looks like another runtime. */
function reasonsIn(globals: string): { native: string; wasm: string; workers: string } {
  const script = `
    ${globals}
    const { backends, init } = require('focal-loss/wasm')
    const { Module } = WebAssembly
    WebAssembly.Module = function () { throw new Error('not today') }
    const [native, wasm] = ['native', 'wasm'].map((wanted) => backends().find(({ name }) => name === wanted).reason)
    WebAssembly.Module = Module
    init('wasm', { workers: 1 }).catch((error) => error.message).then((workers) => process.stdout.write(JSON.stringify({ native, wasm, workers })))
  `
  const { stdout, stderr } = runScript('commonjs', script)
  expect(stderr).toBe('')
  return JSON.parse(stdout) as ReturnType<typeof reasonsIn>
}

const as = (versions: string, rest = '') =>
  `Object.defineProperty(process, 'versions', { value: ${versions} }); ${rest};
   process.getBuiltinModule = () => ({ Worker: class { constructor() { throw new Error('no worker today') } } })`
const navigates = (userAgent: string) => `Object.defineProperty(globalThis, 'navigator', { value: { userAgent: '${userAgent}' } })`

describe('reasons say what is to be done in', { timeout: 30_000 }, () => {
  const inMainEntry = (name: string) =>
    `The native backend comes with the package's main entry: import 'focal-loss' with the condition 'node', which ${name} sets, and not 'focal-loss/wasm'; ` +
    'a bundler needs the platform node. Without it, use wasm or js.'
  const refused = (policy = '') =>
    `WebAssembly was refused (not today); the engine must know 128-bit SIMD${policy}. Where no bytes may be compiled, await init('wasm', { module }) ` +
    'takes focal-loss/focal-loss.wasm as a WebAssembly.Module.'

  it.each([
    ['Node.js', as("{ node: '24.1.0' }"), inMainEntry('Node.js'), 'The workers did not start (no worker today); do without workers.'],
    ['Node.js with --permission', as("{ node: '24.1.0' }", 'process.permission = {}'), inMainEntry('Node.js'),
      'The workers did not start (no worker today); with --permission, run node with --allow-worker, or do without workers.'],
    ['Bun', as("{ node: '26.3.0', bun: '1.4.5' }"), inMainEntry('Bun'), 'The workers did not start (no worker today); do without workers.'],
    ['Deno', as("{ node: '26.3.0', deno: '2.9.6' }"), inMainEntry('Deno'), 'There are no workers in this JavaScript engine; do without them.'],
    ['Cloudflare Workers', as("{ node: '24.1.0' }", navigates('Cloudflare-Workers')),
      'The native backend runs in Node.js, Bun and Deno, not in this JavaScript engine; use wasm or js.',
      'There are no workers in this JavaScript engine; do without them.'],
  ])('%s', (_, globals, native, workers) => {
    expect(reasonsIn(globals)).toEqual({ native, wasm: refused(), workers })
  })

  it('browsers, where policies are the likeliest cause', () => {
    const worker = 'globalThis.Worker = class { constructor() { queueMicrotask(() => this.onerror({ preventDefault() {} })) } postMessage() {} terminate() {} }'
    expect(reasonsIn(as('{}', `Object.defineProperty(process, 'release', { value: {} }); ${navigates('Mozilla/5.0')}; ${worker}`))).toEqual({
      native: 'The native backend runs in Node.js, Bun and Deno, not in a browser; use wasm or js.',
      wasm: refused(", a content security policy must allow 'wasm-unsafe-eval', and a browser that will not compile at once needs await init('wasm')"),
      workers: `The workers did not start (it was refused); a content security policy must allow "worker-src blob:" and 'wasm-unsafe-eval'.`,
    })
  })

  it('Node.js before 20.16', () => {
    expect(reasonsIn('process.getBuiltinModule = undefined').workers).toBe('Workers need Node.js 20.16 or later; do without them.')
  })
})

describe('the worker pool', { timeout: 30_000 }, () => {
  const script = (entry: string) => `
    const { SigmoidFocalLoss, backends, init } = require('${entry}')
    const logits = new Float32Array(300_000).map((_, k) => (k % 401) / 40 - 5)
    const labels = new Uint8Array(logits.length).fill(1, 0, 1000)
    const loss = new SigmoidFocalLoss({ backend: 'wasm' })
    init('wasm', { workers: 2 }).then(async () => {
      const { description } = backends().find(({ name }) => name === 'wasm')
      const { value } = await loss.valueAndGradAsync(logits, labels)
      process.stdout.write(JSON.stringify({ same: value === loss.valueAndGrad(logits, labels).value, description }))
    })`
  const permission = process.allowedNodeEnvironmentFlags.has('--permission') ? '--permission' : '--experimental-permission'

  it.each([
    ['focal-loss', []],
    ['focal-loss/wasm', []],
    ['focal-loss', ['--no-addons']],
    ['focal-loss', ['--no-warnings', permission, '--allow-fs-read=*', '--allow-worker']],
  ])('starts in Node.js by %s with %j', (entry, flags) => {
    const { stdout, stderr } = runScript('commonjs', script(entry), {}, { flags })
    expect(stderr).toBe('')
    expect(JSON.parse(stdout)).toEqual({ same: true, description: 'WebAssembly with 128-bit SIMD, 1 thread; 2 workers for asynchronous calls' })
  })
})

describe('the built package', { timeout: 30_000 }, () => {
  it('runs on the native backend of its own accord', () => {
    expect(outcomeOf({})).toMatchObject({ backend: 'native' })
    expect(outcomeOf({ FOCAL_LOSS_BACKEND: 'auto' }).backend).toBe('native')
    expect(outcomeOf({ FOCAL_LOSS_BACKEND: '' }).backend).toBe('native')
  })

  it.each(['native', 'wasm', 'js'])('runs on the backend that FOCAL_LOSS_BACKEND names, %s', (backend) => {
    expect(outcomeOf({ FOCAL_LOSS_BACKEND: backend }).backend).toBe(backend)
  })

  it.each([
    ['FOCAL_LOSS_BACKEND', 'fast', "RangeError: FOCAL_LOSS_BACKEND is 'fast'; expected one of 'auto', 'cuda', 'webgpu', 'native', 'wasm', 'js'"],
    ['FOCAL_LOSS_BACKEND', 'Native', "RangeError: FOCAL_LOSS_BACKEND is 'Native'; expected one of 'auto', 'cuda', 'webgpu', 'native', 'wasm', 'js'"],
    ['FOCAL_LOSS_THREADS', '0', "RangeError: FOCAL_LOSS_THREADS is '0'; expected an integer from 1 to 1024"],
    ['FOCAL_LOSS_THREADS', '-1', "RangeError: FOCAL_LOSS_THREADS is '-1'; expected an integer from 1 to 1024"],
    ['FOCAL_LOSS_THREADS', '1.5', "RangeError: FOCAL_LOSS_THREADS is '1.5'; expected an integer from 1 to 1024"],
    ['FOCAL_LOSS_THREADS', '1025', "RangeError: FOCAL_LOSS_THREADS is '1025'; expected an integer from 1 to 1024"],
    ['FOCAL_LOSS_THREADS', 'all', "RangeError: FOCAL_LOSS_THREADS is 'all'; expected an integer from 1 to 1024"],
    ['FOCAL_LOSS_ISA', 'mmx', `RangeError: FOCAL_LOSS_ISA is 'mmx'; expected one of ${isas.map(({ name }) => name).join(', ')}`],
  ])('%s=%s is a mistake, and not a slower backend', (name, value, error) => {
    expect(outcomeOf({ [name]: value })).toEqual({ error })
  })

  it('says why a backend that is asked for cannot run', () => {
    expect(outcomeOf({ FOCAL_LOSS_BACKEND: 'cuda' }).error).toMatch(/^BackendError: .*cuda.*use native, wasm or js/i)
  })

  it('does not mind a mistake that concerns a backend it does not use', () => {
    expect(outcomeOf({ FOCAL_LOSS_BACKEND: 'js', FOCAL_LOSS_THREADS: 'all' })).toMatchObject({ backend: 'js' })
  })

  it.each(['1', '2', '7', ' 3 '])('runs on as many threads as FOCAL_LOSS_THREADS says, %s', (threads) => {
    const { native } = outcomeOf({ FOCAL_LOSS_THREADS: threads })
    expect(native).toMatch(new RegExp(`, ${threads.trim()} threads?$`))
  })

  it.each(isas)('runs on the instruction set that FOCAL_LOSS_ISA names, $name', ({ name }) => {
    const outcome = outcomeOf({ FOCAL_LOSS_ISA: name })
    expect(outcome.native).toContain(`C++ addon, ${name}, `)
    expect(outcome.value).toBeCloseTo(outcomeOf({ FOCAL_LOSS_BACKEND: 'js' }).value, 7)
  })

  it.each([
    ['a variable', "process.env = new Proxy(process.env, { get(target, name) { if (String(name).startsWith('FOCAL_LOSS_')) throw new Error('NotCapable'); return target[name] } })"],
    // Node.js 26 reads it itself when it loads a file
    ['all of the environment', "const { env } = process; Object.defineProperty(process, 'env', { get() { if (new Error().stack.split('\\n')[2].includes('/dist/')) throw new Error('NotCapable'); return env } })"],
  ])('takes %s that may not be read for unset, as in Deno', (_, before) => {
    const script = `${before}; const { ${names} } = require('focal-loss'); ${report}`
    const { stdout, stderr } = runScript('commonjs', script, { FOCAL_LOSS_BACKEND: 'js', FOCAL_LOSS_THREADS: 'all' })
    expect(stderr).toBe('')
    expect(JSON.parse(stdout)).toMatchObject({ backend: 'native', value: outcomeOf({}).value })
  })

  it('takes FOCAL_LOSS_THREADS over a CPU quota', () => {
    const quota = `
      const fs = require('node:fs')
      const read = fs.readFileSync
      const files = { '/proc/self/cgroup': '0::/', '/sys/fs/cgroup/cpu.max': '100000 100000' }
      fs.readFileSync = (path, ...rest) => files[path] ?? read(path, ...rest)
      require('node:module').syncBuiltinESMExports()`
    const nativeOf = (variables: Record<string, string>) =>
      (JSON.parse(runScript('commonjs', `${quota}; ${required()}`, variables).stdout) as Outcome).native
    expect(nativeOf({})).toMatch(/, 1 thread$/)
    expect(nativeOf({ FOCAL_LOSS_THREADS: '5' })).toMatch(/, 5 threads$/)
  })

  it('gives equal numbers by import and by require, from every entry', () => {
    // Named, as 'auto' may choose for so few logits now this backend and now that
    const expected = outcomeOf({ FOCAL_LOSS_BACKEND: 'native' })
    expect(outcomeOf({ FOCAL_LOSS_BACKEND: 'native' }, 'commonjs')).toEqual(expected)
    const wasm = outcomeOf({ FOCAL_LOSS_BACKEND: 'wasm' })
    for (const kind of ['module', 'commonjs'] as const) {
      const outcome = outcomeOf({ FOCAL_LOSS_BACKEND: 'wasm' }, kind, 'focal-loss/wasm')
      expect(outcome).toEqual({ ...wasm, native: outcome.native })
      expect(outcome.native).toMatch(/^The native backend comes with the package's main entry: .* which Node\.js sets/)
    }
    expect(expected.value).toBeCloseTo(wasm.value, 7)
  })

  it('has the adapter and the module where its exports say', () => {
    const script = `
      import { tfLoss } from 'focal-loss/tfjs'
      import { createRequire } from 'node:module'
      const require = createRequire(process.cwd() + '/here.js')
      if (typeof tfLoss !== 'function' || typeof require('focal-loss/tfjs').tfLoss !== 'function') throw new Error('no tfLoss')
      process.stdout.write([require.resolve('focal-loss/focal-loss.wasm'), require('focal-loss/package.json').name].join())
    `
    const { status, stdout, stderr } = runScript('module', script)
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
    const [file, name] = stdout.split(',')
    expect(name).toBe('focal-loss')
    expect(WebAssembly.validate(readFileSync(file))).toBe(true)
  })

  it('has one setting for all its entries', () => {
    const script = `
      import { setBackend, getBackend } from 'focal-loss'
      import { getBackend as getOther } from 'focal-loss/wasm'
      setBackend('js')
      process.stdout.write([getBackend(), getOther()].join())
    `
    expect(runScript('module', script)).toMatchObject({ status: 0, stdout: 'js,js', stderr: '' })
  })
})
