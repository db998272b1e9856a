/** The built package in Chromium without a bundler: pages, workers, content security policies. */
import { fileURLToPath } from 'node:url'
import type { Page } from 'playwright-core'
import { afterAll, describe, expect, it } from 'vitest'
import { isolation, openBrowser, serve, visit } from '../support/browser.js'
import { expectedReport, type PageReport } from '../support/reports.js'

const at = (path: string) => fileURLToPath(new URL(path, import.meta.url))

const browser = await openBrowser()
afterAll(async () => {
  await browser.close()
})

/** Visits a page of the fixtures, served with this policy and other headers. */
async function open(path: string, policy?: string, prepare?: (page: Page) => Promise<unknown>, headers: Readonly<Record<string, string>> = {}) {
  const site = await serve(
    { '/focal-loss/': at('../..'), '/': at('fixtures') },
    policy === undefined ? headers : { ...headers, 'content-security-policy': policy },
  )
  try {
    return await visit(browser, `${site.url}plain/${path}`, prepare)
  } finally {
    await site.close()
  }
}

const strict = "default-src 'none'; img-src data:; worker-src 'self'; script-src 'self'"
const refusal = /^WebAssembly was refused \(.*\); the engine must know 128-bit SIMD, a content security policy must allow 'wasm-unsafe-eval', /

describe('a page and its worker', { timeout: 60_000 }, () => {
  it.each([
    ['without a policy', undefined],
    ["with a strict policy that has 'wasm-unsafe-eval'", `${strict} 'wasm-unsafe-eval'`],
  ])('run on wasm %s', async (_, policy) => {
    const { result, printed } = await open('', policy)
    expect(result).toEqual({ page: expectedReport('wasm'), worker: expectedReport('wasm') })
    expect(printed).toEqual([])
  })

  it("run on js under a strict policy without 'wasm-unsafe-eval', and say why", async () => {
    const { page, worker } = (await open('', strict)).result as PageReport
    for (const { backend, reasons, value, grad } of [page, worker]) {
      expect(backend).toBe('js')
      expect(reasons.wasm).toMatch(refusal)
      expect(reasons.wasm).toContain('Content Security Policy')
      expect({ value, grad }).toEqual({ value: expectedReport('js').value, grad: expectedReport('js').grad })
    }
  })
})

/** What browsers did that compile nothing large at once on a page's main thread. */
const refuseLarge = (page: Page) =>
  page.addInitScript(`
    const { Module, Instance } = WebAssembly
    const refuse = () => { throw new RangeError('disallowed on the main thread, if the buffer size is larger than 4KB') }
    WebAssembly.Module = new Proxy(Module, { construct: (M, [bytes]) => (bytes.byteLength > 4096 ? refuse() : new M(bytes)) })
    WebAssembly.Instance = new Proxy(Instance, { construct: refuse })
  `)

describe("init('wasm')", { timeout: 60_000 }, () => {
  it('is not needed where the engine compiles the module at once, as this one does', async () => {
    expect((await open('init.html')).result).toEqual({ before: 'wasm', reason: '', answer: 'wasm', after: 'wasm' })
  })

  it('makes wasm available where the engine compiles and instantiates nothing large at once', async () => {
    const { result } = await open('init.html', undefined, refuseLarge)
    expect(result).toEqual({ before: 'js', reason: expect.stringMatching(refusal) as unknown, answer: 'wasm', after: 'wasm' })
  })

  it('is refused with the reason where the policy forbids WebAssembly', async () => {
    const { result } = await open('init.html', strict)
    const reason = expect.stringMatching(refusal) as unknown
    expect(result).toEqual({ before: 'js', reason, answer: expect.stringMatching(/^BackendError: WebAssembly was refused \(/) as unknown, after: 'js' })
  })
})

interface Asynchronous {
  readonly same: boolean
  readonly aborted: string
  readonly ticks: number
  readonly frames: number
  readonly longest: number
  readonly took: number
}

describe('an asynchronous call', { timeout: 60_000 }, () => {
  it('lets timers fire and frames be drawn, has the bits of the synchronous one, and is aborted', async () => {
    const results = (await open('asynchronous.html')).result as Record<'wasm' | 'js', Asynchronous>
    for (const { same, aborted, ticks, frames, longest, took } of Object.values(results)) {
      expect({ same, aborted }).toEqual({ same: true, aborted: 'TimeoutError' })
      expect(ticks).toBeGreaterThan(3)
      expect(frames).toBeGreaterThan(1)
      expect(longest).toBeLessThan(took / 2)
    }
  })
})

describe("init('wasm', { workers })", { timeout: 60_000 }, () => {
  const alone = 'WebAssembly with 128-bit SIMD, 1 thread'

  it.each([
    ['', undefined],
    [' under a strict policy with worker-src blob:', `${strict.replace("worker-src 'self'", 'worker-src blob:')} 'wasm-unsafe-eval'`],
  ])('shares asynchronous calls among workers where the page is isolated%s, with the same bits', async (_, policy) => {
    const { result, printed } = await open('workers.html', policy, undefined, isolation)
    expect(result).toEqual({ answer: 'wasm', during: `${alone}; 2 workers for asynchronous calls`, same: { own: true, shared: true }, after: alone })
    expect(printed).toEqual([])
  })

  it('is refused in other pages, which compute without', async () => {
    const { result, printed } = await open('workers.html')
    const answer = expect.stringMatching(/^BackendError: Workers need shared memory, which only cross-origin isolated pages have; serve/) as unknown
    expect(result).toEqual({ answer, during: alone, same: { own: true, shared: undefined }, after: alone })
    expect(printed).toEqual([])
  })

  it('is refused with the reason where the policy allows no workers of blobs', async () => {
    const { result } = await open('workers.html', `${strict} 'wasm-unsafe-eval'`, undefined, isolation)
    const answer = expect.stringMatching(/^BackendError: The workers did not start \(.*\); a content security policy must allow "worker-src blob:"/) as unknown
    expect(result).toEqual({ answer, during: alone, same: { own: true, shared: true }, after: alone })
  })
})
