/**
 * What workers gain in a browser: `npx tsx bench/browser_threads.ts`, once the package is built. In a cross-origin isolated page, one
 * synchronous call, an asynchronous one, and one on as many workers as there are processors, of the page's arrays and of shared ones.
 * Medians of calls; results are compared first.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import Table from 'cli-table3'
import { build } from 'esbuild'
import { isolation, openBrowser, serve, visit } from '../test/support/browser.js'

const workers = availableParallelism()
const page = `
import { init, SigmoidFocalLoss } from 'focal-loss'
const loss = new SigmoidFocalLoss({ backend: 'wasm', background: -1 })

function median(times) {
  return times.sort((a, b) => a - b)[times.length >> 1]
}

function newArray(Kind, length, isShared, fill) {
  const array = new Kind(isShared ? new SharedArrayBuffer(4 * length) : length)
  for (let k = 0; k < length; k++) array[k] = fill(k)
  return array
}

function problemOf(size, isShared) {
  const logits = newArray(Float32Array, size, isShared, (k) => ((k * 2654435761) % 4294967296) / 4294967296 * 12 - 7)
  const targets = newArray(Int32Array, size / 80, isShared, (row) => (row % 50 === 0 ? (7 * row) % 80 : -1))
  return [logits, targets, { grad: newArray(Float32Array, size, isShared, () => 0) }]
}

async function measure(size) {
  const [own, shared] = [problemOf(size, false), problemOf(size, true)]
  const ways = {
    'one call': () => loss.valueAndGrad(...own),
    'asynchronous': () => loss.valueAndGradAsync(...own),
    'on workers': () => loss.valueAndGradAsync(...own),
    'of shared arrays': () => loss.valueAndGradAsync(...shared),
  }
  const [values, times] = [{}, {}]
  for (const names of [['one call', 'asynchronous'], ['on workers', 'of shared arrays']]) {
    await init('wasm', { workers: names.includes('on workers') ? ${workers} : 0 })
    for (const name of names) {
      values[name] = (await ways[name]()).value
      times[name] = []
    }
    for (let turn = 0; turn < (size > 4e6 ? 21 : 101); turn++)
      for (const name of names) {
        const begin = performance.now()
        await ways[name]()
        times[name].push(performance.now() - begin)
      }
  }
  const same = own[2].grad.every((each, k) => each === shared[2].grad[k])
  return { size, same, values, medians: Object.fromEntries(Object.entries(times).map(([name, all]) => [name, median(all)])) }
}

const measured = []
for (const size of [96_000, 480_000, 960_000, 16_000_000]) measured.push(await measure(size))
globalThis.result = measured
`

interface Measured {
  readonly size: number
  readonly same: boolean
  readonly values: Readonly<Record<string, number>>
  readonly medians: Readonly<Record<string, number>>
}

const folder = mkdtempSync(join(tmpdir(), 'focal-loss-threads-'))
writeFileSync(join(folder, 'page.js'), page)
const alias = { 'focal-loss': fileURLToPath(new URL('../dist/index.js', import.meta.url)) }
await build({ entryPoints: [join(folder, 'page.js')], bundle: true, minify: true, format: 'esm', outdir: join(folder, 'built'), alias })
writeFileSync(join(folder, 'built/index.html'), '<!doctype html><link rel="icon" href="data:,"><script type="module" src="page.js"></script>')
const [browser, site] = [await openBrowser(), await serve({ '/': join(folder, 'built') }, isolation)]
try {
  const measured = (await visit(browser, site.url)).result as Measured[]
  const ways = Object.keys(measured[0].medians)
  const table = new Table({ head: ['logits', ...ways], style: { head: [], border: [] } })
  for (const { size, same, values, medians } of measured) {
    if (!same || new Set(Object.values(values)).size > 1) throw new Error(`${size} logits: the results differ: ${JSON.stringify(values)}`)
    table.push([size.toLocaleString('en'), ...ways.map((name) => `${medians[name].toFixed(2)} ms`)])
  }
  console.log(table.toString())
} finally {
  await browser.close()
  await site.close()
  rmSync(folder, { recursive: true })
}
