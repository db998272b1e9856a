/** A module that the caller brings: where no bytes may be compiled, and what is refused. */
import { readFileSync } from 'node:fs'
import { beforeAll, describe, expect, it } from 'vitest'
import { type BackendName, BackendError, backends, init, SigmoidFocalLoss } from 'focal-loss'
import { moduleText } from '../../../src/backends/wasm/module_bytes.generated.js'
import { runScript } from '../../support/children.js'

const bytes = readFileSync(new URL('../../../build/wasm/focal-loss.wasm', import.meta.url))
const given = (module: unknown, name: BackendName = 'wasm') => init(name, { module: module as WebAssembly.Module })
const expected = 'expected the WebAssembly.Module of focal-loss/focal-loss.wasm'

let module: WebAssembly.Module
beforeAll(async () => {
  module = await WebAssembly.compile(bytes)
})

/** A module of a function that gives a number, under each of these names. */
function moduleOf(names: readonly string[], result = 0): WebAssembly.Module {
  const text = (name: string) => [name.length, ...Buffer.from(name)]
  const section = (id: number, content: readonly number[]) => [id, (content.length & 127) | 128, content.length >> 7, ...content]
  const exports = names.flatMap((name) => [...text(name), 0, 0])
  return new WebAssembly.Module(
    Uint8Array.from([
      ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
      ...section(1, [1, 0x60, 0, 1, 0x7f]),
      ...section(3, [1, 0]),
      ...section(7, [names.length, ...exports]),
      ...section(10, [1, 4, 0, 0x41, result, 0x0b]),
    ]),
  )
}

describe("init('wasm', { module })", () => {
  it('runs on the module that is given', async () => {
    const loss = new SigmoidFocalLoss({ backend: 'wasm' })
    const before = loss.value(Float32Array.of(1, -2), [1, 0])
    expect(await given(module)).toBe('wasm')
    expect(loss.value(Float32Array.of(1, -2), [1, 0])).toBe(before)
    expect(backends().find(({ name }) => name === 'wasm')?.available).toBe(true)
  })

  it.each<[string, unknown, string]>([
    ['bytes', bytes, `module is a Uint8Array of length ${bytes.length}; ${expected}`],
    ['null', null, `module is null; ${expected}`],
    ['a path', './focal-loss.wasm', `module is './focal-loss.wasm'; ${expected}`],
    ['a promise', Promise.resolve(), `module is a Promise; ${expected}`],
    ['an object of its prototype', Object.create(WebAssembly.Module.prototype), `module is a Module; ${expected}`],
    ["somebody else's module", moduleOf(['add']), `module is a WebAssembly.Module without the function focal_malloc; ${expected}`],
  ])('refuses %s', async (_, wrong, message) => {
    await expect(given(wrong)).rejects.toThrow(new TypeError(message))
    expect(new SigmoidFocalLoss({ backend: 'wasm' }).value(Float32Array.of(0), [1])).toBeCloseTo(0.0433, 4)
  })

  it('refuses one that asks for shared memory', async () => {
    const shared = Uint8Array.from(bytes)
    shared[moduleText.memoryFlagsAt] |= 2
    await expect(given(await WebAssembly.compile(shared))).rejects.toThrow(/^module cannot be instantiated \(.*\); expected the WebAssembly\.Module of/)
  })

  it('refuses another version', async () => {
    const names = WebAssembly.Module.exports(module).flatMap(({ name, kind }) => (kind === 'function' ? [name] : []))
    await expect(given(moduleOf(names, 3))).rejects.toThrow(
      /^The WebAssembly module speaks version 3 of the kernel's interface and this package version \d+; take focal-loss\/focal-loss\.wasm/,
    )
    await expect(given(moduleOf(names, 3))).rejects.toThrow(BackendError)
  })

  it.each<BackendName>(['native', 'js'])('is for wasm alone, not for %s', async (name) => {
    await expect(given(module, name)).rejects.toThrow(new TypeError(`module is given with backend '${name}'; expected backend 'wasm'`))
  })

  it('makes wasm run where no bytes may be compiled, and the refusal names it', () => {
    const script = `
      const { readFileSync } = require('node:fs')
      const module = new WebAssembly.Module(readFileSync(require.resolve('focal-loss/focal-loss.wasm')))
      const { exports, imports } = WebAssembly.Module
      const forbid = () => { throw new Error('Wasm code generation disallowed by embedder') }
      WebAssembly.Module = Object.assign(function () { forbid() }, { exports, imports })
      WebAssembly.compile = async () => forbid()
      const { backends, getBackend, init, SigmoidFocalLoss } = require('focal-loss/wasm')
      const wasm = () => backends().find(({ name }) => name === 'wasm')
      const seen = [getBackend(), wasm().reason]
      init('wasm').catch((error) => seen.push(error.name)).then(() => init('wasm', { module })).then((name) => {
        seen.push(name, getBackend(), new SigmoidFocalLoss({ backend: 'wasm' }).value(Float32Array.of(0), [1]).toFixed(4))
        process.stdout.write(JSON.stringify(seen))
      })
    `
    const { stdout, stderr } = runScript('commonjs', script)
    expect(stderr).toBe('')
    const reason = expect.stringMatching(/disallowed by embedder.*await init\('wasm', \{ module \}\) takes focal-loss\/focal-loss\.wasm/) as unknown
    expect(JSON.parse(stdout)).toEqual(['js', reason, 'BackendError', 'wasm', 'wasm', '0.0433'])
  })
})
