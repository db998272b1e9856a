/** The losses on TensorFlow.js's webgl, of float32 and of half floats, and webgpu, in Chromium: composed and by default. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Browser } from 'playwright-core'
import { build } from 'esbuild'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openBrowser, serve, type Site, visit } from '../support/browser.js'
import type { TfjsNumbers } from './tfjs_numbers_page.js'

const at = (path: string) => fileURLToPath(new URL(path, import.meta.url))

let folder: string
let browser: Browser
let site: Site

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'focal-loss-tfjs-'))
  await build({
    entryPoints: [at('tfjs_numbers_page.ts')],
    bundle: true,
    format: 'esm',
    outdir: folder,
    alias: { 'focal-loss/tfjs': at('../../dist/tfjs.js'), 'focal-loss': at('../../dist/index.js') },
  })
  writeFileSync(join(folder, 'index.html'), '<!doctype html><link rel="icon" href="data:,"><script type="module" src="tfjs_numbers_page.js"></script>')
  browser = await openBrowser({ webgpu: true })
  site = await serve({ '/': folder })
})

afterAll(async () => {
  await browser.close()
  await site.close()
  rmSync(folder, { recursive: true })
})

const numbers = async (query: string) => (await visit(browser, `${site.url}?${query}`)).result as TfjsNumbers

/** What numbers of any size have. */
function expectDecisions({ areNumbers, metrics }: TfjsNumbers) {
  expect(areNumbers).toEqual([[true, false, false], [true, false, false]])
  const expected = [0.75, 1, 2 / 3, 1]
  metrics.forEach((metric, i) => expect(metric).toBeCloseTo(expected[i], 3))
}

describe.each([['composed of operations of TensorFlow.js', '&composed'], ['by default', '']])('the losses %s', (_, form) => {
  it.each(['webgl', 'webgpu'])('are within 2e-5 of the definition on %s', { timeout: 120_000 }, async (backend) => {
    const result = await numbers(`backend=${backend}${form}`)
    expect(result.backend).toBe(backend)
    expectDecisions(result)
    expect(result.agreements.length).toBeGreaterThan(25)
    for (const { title, value, grad, isFinite } of result.agreements) {
      expect({ title, isFinite }).toEqual({ title, isFinite: true })
      expect(value, title).toBeLessThan(2e-5)
      expect(grad, title).toBeLessThan(2e-5)
    }
    for (const { title, value, exact } of result.means) expect(Math.abs(value / exact - 1), title).toBeLessThan(2e-5)
  })

  it('are finite on half floats, and 0 nowhere where they should not be', { timeout: 120_000 }, async () => {
    const result = await numbers(`backend=webgl&half${form}`)
    expectDecisions(result)
    expect(result.agreements.map(({ title, isFinite, vanished }) => ({ title, isFinite, vanished }))).toEqual(
      result.agreements.map(({ title }) => ({ title, isFinite: true, vanished: 0 })),
    )
    for (const { title, coarse } of result.agreements) expect(coarse, title).toBeLessThan(0.05)
    for (const { title, value, exact } of result.means) expect(Math.abs(value / exact - 1), title).toBeLessThan(0.01)
  })
})
