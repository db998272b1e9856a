/** A page of the tests' own, which uses the built package, in Chromium. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { openBrowser, serve, visit, type Visit } from './browser.js'
import { withoutNode } from './bundle.js'

export interface TestPage {
  /** Opens it, with what follows the `?` of its address, and waits for what it leaves in `globalThis.result`. */
  visit(query?: string): Promise<Visit>
  close(): Promise<void>
}

const built = (entry: string) => fileURLToPath(new URL(`../../dist/${entry}.js`, import.meta.url))

interface PageOptions {
  /** Whether there is WebGPU, on the processor. */
  readonly webgpu?: boolean
  /** Other folders to serve, each below the path that is its key. */
  readonly folders?: Readonly<Record<string, string>>
}

/** Bundles the module at this address, and serves a page that runs it. */
export async function openPage(module: URL, { webgpu = false, folders = {} }: PageOptions = {}): Promise<TestPage> {
  const folder = mkdtempSync(join(tmpdir(), 'focal-loss-page-'))
  const entry = fileURLToPath(module)
  await build({
    entryPoints: [entry],
    bundle: true,
    format: 'esm',
    outdir: folder,
    alias: { 'focal-loss/tfjs': built('tfjs'), 'focal-loss/webgpu': built('webgpu'), 'focal-loss': built('index') },
    plugins: [withoutNode],
  })
  writeFileSync(join(folder, 'index.html'), `<!doctype html><link rel="icon" href="data:,"><script type="module" src="${basename(entry, '.ts')}.js"></script>`)
  const browser = await openBrowser({ webgpu })
  const site = await serve({ ...folders, '/': folder })
  return {
    visit: (query = '') => visit(browser, `${site.url}?${query}`),
    async close() {
      await browser.close()
      await site.close()
      rmSync(folder, { recursive: true })
    },
  }
}
