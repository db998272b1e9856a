/** One small page with a worker, built by each bundler without a plugin for this package, in Chromium. */
import { cpSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { nodeResolve } from '@rollup/plugin-node-resolve'
import * as esbuild from 'esbuild'
import { rollup } from 'rollup'
import { afterAll, describe, expect, it } from 'vitest'
import * as vite from 'vite'
import webpack from 'webpack'
import { isolation, openBrowser, serve, visit } from '../support/browser.js'
import { makeApplication } from '../support/installed.js'
import { expectedReport } from '../support/reports.js'

const browser = await openBrowser()
const application = makeApplication()
const sources = join(application.folder, 'page')
cpSync(fileURLToPath(new URL('fixtures', import.meta.url)), application.folder, { recursive: true })
const entries = { main: join(sources, 'main.js'), worker: join(sources, 'worker.js') }

afterAll(async () => {
  await browser.close()
  application.remove()
})

const withVite = { root: sources, configFile: false, logLevel: 'error' } as const

/** How each bundler is told to build the page. Vite and webpack see the worker by themselves; for the others it is an entry. */
const bundlers: Readonly<Record<string, (outdir: string) => Promise<unknown>>> = {
  vite: (outDir) => vite.build({ ...withVite, build: { outDir } }),
  webpack: (path) =>
    new Promise((resolve, reject) => {
      const config = { mode: 'production', context: sources, entry: './main.js', output: { path, filename: 'main.js' }, performance: false } as const
      webpack(config, (error, stats) => {
        if (error !== null || stats?.hasErrors() !== false) reject(error ?? new Error(stats?.toString('errors-only')))
        else resolve(stats)
      })
    }),
  esbuild: (outdir) => esbuild.build({ entryPoints: entries, bundle: true, minify: true, format: 'esm', splitting: true, outdir }),
  async rollup(dir) {
    const bundle = await rollup({ input: entries, plugins: [nodeResolve({ browser: true })] })
    await bundle.write({ dir, format: 'es' })
  },
}

/** The JavaScript of a build: its size as browsers get it, compressed. */
function compressedSize(folder: string): number {
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((path) => path.endsWith('.js'))
  return files.reduce((sum, path) => sum + gzipSync(readFileSync(join(folder, path))).length, 0)
}

describe('a page and its worker run on wasm, and on workers of their own,', { timeout: 120_000 }, () => {
  it.each(Object.keys(bundlers))('built with %s', async (name) => {
    const folder = join(application.folder, `built-${name}`)
    await bundlers[name](folder)
    // What a bundler does not write itself stays as it is
    if (name !== 'vite') cpSync(join(sources, 'index.html'), join(folder, 'index.html'))
    const site = await serve({ '/': folder }, isolation)
    try {
      const { result, printed } = await visit(browser, site.url)
      expect(result).toEqual({ page: expectedReport('wasm', 'same'), worker: expectedReport('wasm', 'same') })
      expect(printed).toEqual([])
    } finally {
      await site.close()
    }
    // The module's bytes once, or where page and worker are bundled apart, once for each: 271 kB as docs/browser.md says
    expect(compressedSize(folder)).toBeLessThan(name === 'vite' || name === 'webpack' ? 640_000 : 350_000)
  })

  it('served by Vite while it is being written', async () => {
    const server = await vite.createServer({ ...withVite, server: { port: 0, hmr: false, fs: { allow: [application.folder] } } })
    try {
      await server.listen()
      const { result } = await visit(browser, server.resolvedUrls?.local[0] ?? '')
      expect(result).toEqual({ page: expectedReport('wasm'), worker: expectedReport('wasm') })
    } finally {
      await server.close()
    }
  })
})
