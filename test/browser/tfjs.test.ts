/** The loss of TensorFlow.js in Chromium: fused on its cpu and wasm backends, composed on webgl and webgpu. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { expect, it } from 'vitest'
import { openBrowser, serve, visit } from '../support/browser.js'
import type { TfjsReport } from './tfjs_page.js'

const at = (path: string) => fileURLToPath(new URL(path, import.meta.url))

it('models are trained on every backend of TensorFlow.js', { timeout: 180_000 }, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'focal-loss-tfjs-'))
  await build({
    entryPoints: [at('tfjs_page.ts')],
    bundle: true,
    format: 'esm',
    outdir: folder,
    alias: { 'focal-loss/tfjs': at('../../dist/tfjs.js'), 'focal-loss': at('../../dist/index.js') },
  })
  writeFileSync(join(folder, 'index.html'), '<!doctype html><link rel="icon" href="data:,"><script type="module" src="tfjs_page.js"></script>')
  const [browser, site] = [await openBrowser({ webgpu: true }), await serve({ '/tfjs-wasm/': at('../../node_modules/@tensorflow/tfjs-backend-wasm/dist'), '/': folder })]
  try {
    const result = (await visit(browser, site.url)).result as TfjsReport[]
    expect(result.map(({ backend, read, tensorsLeft }) => ({ backend, read, tensorsLeft }))).toEqual([
      { backend: 'cpu', read: true, tensorsLeft: 0 },
      { backend: 'wasm', read: true, tensorsLeft: 0 },
      { backend: 'webgl', read: false, tensorsLeft: 0 },
      { backend: 'webgpu', read: false, tensorsLeft: 0 },
    ])
    for (const { gradientError, firstLoss, lastLoss } of result) {
      expect(gradientError).toBeLessThan(1e-4)
      expect(lastLoss).toBeLessThan(0.6 * firstLoss)
    }
  } finally {
    await browser.close()
    await site.close()
    rmSync(folder, { recursive: true })
  }
})
