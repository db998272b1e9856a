/** The fused losses of TensorFlow.js's webgl and webgpu backends in Chromium: against our own backends, and what they cost. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Browser } from 'playwright-core'
import { build } from 'esbuild'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { openBrowser, serve, type Site, visit } from '../support/browser.js'
import type { GpuReport } from '../support/tfjs_gpu.js'

const at = (path: string) => fileURLToPath(new URL(path, import.meta.url))

let folder: string
let browser: Browser
let site: Site

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'focal-loss-tfjs-'))
  await build({
    entryPoints: [at('tfjs_gpu_page.ts')],
    bundle: true,
    format: 'esm',
    outdir: folder,
    alias: { 'focal-loss/tfjs': at('../../dist/tfjs.js'), 'focal-loss': at('../../dist/index.js') },
  })
  writeFileSync(join(folder, 'index.html'), '<!doctype html><link rel="icon" href="data:,"><script type="module" src="tfjs_gpu_page.js"></script>')
  browser = await openBrowser({ webgpu: true })
  site = await serve({ '/': folder })
})

afterAll(async () => {
  await browser.close()
  await site.close()
  rmSync(folder, { recursive: true })
})

it.each(['webgl', 'webgpu'])('losses are fused on %s', { timeout: 180_000 }, async (backend) => {
  const report = (await visit(browser, `${site.url}?backend=${backend}`)).result as GpuReport
  expect(report.variants.length).toBeGreaterThan(70)
  for (const { title, value, grad } of report.variants) {
    expect(value, title).toBeLessThanOrEqual(1)
    expect(grad, title).toBeLessThanOrEqual(1)
  }
  for (const [reduction, { kernels, reads, tensorsLeft }] of Object.entries(report.costs)) {
    expect(kernels, reduction).toBeLessThanOrEqual(6)
    expect({ reduction, reads, tensorsLeft }).toEqual({ reduction, reads: 0, tensorsLeft: 0 })
  }
  expect(report.second).toBeLessThanOrEqual(1)
  expect(report.areNaN).toEqual(report.areNaN.map(() => [false, true, false]))
  expect(report.holes).toBe(0)
  for (const error of report.shapes) expect(error).toBeLessThanOrEqual(1)
})
