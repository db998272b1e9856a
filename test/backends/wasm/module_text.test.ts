import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { moduleText } from '../../../src/backends/wasm/module_bytes.generated.js'
import { decode } from '../../../src/backends/wasm/module_text.js'

const built = readFileSync(new URL('../../../build/wasm/focal-loss.wasm', import.meta.url))

it('the text of the WebAssembly module is what was built', () => {
  expect(Buffer.compare(decode(moduleText), built)).toBe(0)
  expect(built.length).toBeGreaterThan(100_000)
})

it('has nothing that a string, a template, a page or a minifier would write otherwise', () => {
  expect(moduleText.text).toMatch(/^[ !#%&()*+,\-./0-9:;=>?@A-Z[\]^_a-z|}~]+$/)
})

it('every byte has its own characters', () => {
  const bytes = Uint8Array.from({ length: 256 }, (_, k) => k)
  const singles = moduleText.alphabet.length - 2
  const text = Array.from(bytes, (byte) => {
    const rank = moduleText.order.indexOf(byte)
    return rank < singles ? moduleText.alphabet[rank] : moduleText.alphabet[singles + Math.floor((rank - singles) / singles)] + moduleText.alphabet[(rank - singles) % singles]
  }).join('')
  expect(decode({ ...moduleText, text, byteCount: 256 })).toEqual(bytes)
})

it('the flags are those of the memory that the module imports', () => {
  const at = moduleText.memoryFlagsAt
  expect(built.subarray(at - 7, at - 1).toString()).toBe('memory')
  expect([...built.subarray(at - 1, at + 1)]).toEqual([2, 1])
})
