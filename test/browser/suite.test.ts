/** The backend suite in Chromium: golden values and random problems, on wasm and js. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { expect, it } from 'vitest'
import { openBrowser, serve, visit } from '../support/browser.js'
import { withoutNode } from '../support/bundle.js'

const at = (path: string) => fileURLToPath(new URL(path, import.meta.url))

it('every backend of a browser agrees with the golden values and with the others', { timeout: 180_000 }, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'focal-loss-page-'))
  await build({
    entryPoints: [at('suite_page.ts')],
    bundle: true,
    format: 'esm',
    outdir: folder,
    alias: { 'focal-loss': at('../../dist/index.js') },
    plugins: [withoutNode],
  })
  writeFileSync(join(folder, 'index.html'), '<!doctype html><link rel="icon" href="data:,"><script type="module" src="suite_page.js"></script>')
  const [browser, site] = [await openBrowser(), await serve({ '/': folder })]
  try {
    const { result, printed } = await visit(browser, site.url)
    expect(result).toEqual({ counts: { golden: 95, problems: 400, refused: expect.any(Number) as unknown }, failures: [] })
    expect((result as { counts: { refused: number } }).counts.refused).toBeGreaterThan(10)
    expect(printed).toEqual([])
  } finally {
    await browser.close()
    await site.close()
    rmSync(folder, { recursive: true })
  }
})
