/**
 * Would threads pay in a browser? `npx tsx bench/browser_threads.ts`, once the package is built. In a page that is cross-origin
 * isolated, one call on all logits against workers that each have an instance of the module and a part of the logits of one
 * SharedArrayBuffer, with the messages there and back. Medians of calls in turns.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import Table from 'cli-table3'
import { build } from 'esbuild'
import { openBrowser, serve, visit } from '../test/support/browser.js'

const workers = availableParallelism()
const page = `
import { SigmoidFocalLoss } from 'focal-loss'
const team = Array.from({ length: ${workers} }, () => new Worker('worker.js', { type: 'module' }))
const isolated = globalThis.crossOriginIsolated

function ask(worker, message) {
  return new Promise((done) => {
    worker.onmessage = ({ data }) => done(data)
    worker.postMessage(message)
  })
}

function median(times) {
  return times.sort((a, b) => a - b)[times.length >> 1]
}

async function measure(size) {
  const rows = size / 80
  const [x, t, g] = [4 * size, 4 * rows, 4 * size].map((bytes) => new SharedArrayBuffer(bytes))
  const [logits, targets, grad] = [new Float32Array(x), new Int32Array(t), new Float32Array(g)]
  for (let k = 0; k < size; k++) logits[k] = ((k * 2654435761) % 4294967296) / 4294967296 * 12 - 7
  for (let r = 0; r < rows; r++) targets[r] = r % 50 === 0 ? (7 * r) % 80 : -1
  const withBackground = new SigmoidFocalLoss({ backend: 'wasm', reduction: 'sum', background: -1 })
  const part = (first, last) => ({ x, t, g, first, last })
  const share = (i, n) => Math.round((rows * i) / n)
  const ways = {
    page: async () => withBackground.valueAndGrad(logits, targets, { grad }).value,
    worker: () => ask(team[0], part(0, rows)),
    workers: async () => (await Promise.all(team.map((worker, i) => ask(worker, part(share(i, team.length), share(i + 1, team.length)))))).reduce((a, b) => a + b),
  }
  const sums = {}
  for (const [name, way] of Object.entries(ways)) sums[name] = await way()
  const times = { page: [], worker: [], workers: [] }
  for (let turn = 0; turn < (size > 4e6 ? 15 : 41); turn++)
    for (const [name, way] of Object.entries(ways)) {
      const begin = performance.now()
      await way()
      times[name].push(performance.now() - begin)
    }
  return { size, isolated, sums, medians: Object.fromEntries(Object.entries(times).map(([name, all]) => [name, median(all)])) }
}

const measured = []
for (const size of [96_000, 960_000, 16_000_000]) measured.push(await measure(size))
globalThis.result = measured
`
const worker = `
import { SigmoidFocalLoss } from 'focal-loss'
const loss = new SigmoidFocalLoss({ backend: 'wasm', reduction: 'sum', background: -1 })
onmessage = ({ data: { x, t, g, first, last } }) => {
  const logits = new Float32Array(x, 320 * first, 80 * (last - first))
  postMessage(loss.valueAndGrad(logits, new Int32Array(t, 4 * first, last - first), { grad: new Float32Array(g, 320 * first, logits.length) }).value)
}
`

interface Measured {
  readonly size: number
  readonly isolated: boolean
  readonly sums: Readonly<Record<string, number>>
  readonly medians: Readonly<Record<string, number>>
}

const folder = mkdtempSync(join(tmpdir(), 'focal-loss-threads-'))
writeFileSync(join(folder, 'page.js'), page)
writeFileSync(join(folder, 'worker.js'), worker)
const alias = { 'focal-loss': fileURLToPath(new URL('../dist/index.js', import.meta.url)) }
await build({ entryPoints: ['page.js', 'worker.js'].map((name) => join(folder, name)), bundle: true, minify: true, format: 'esm', outdir: join(folder, 'built'), alias })
writeFileSync(join(folder, 'built/index.html'), '<!doctype html><link rel="icon" href="data:,"><script type="module" src="page.js"></script>')
const isolation = { 'cross-origin-opener-policy': 'same-origin', 'cross-origin-embedder-policy': 'require-corp' }
const [browser, site] = [await openBrowser(), await serve({ '/': join(folder, 'built') }, isolation)]
try {
  const measured = (await visit(browser, site.url)).result as Measured[]
  const table = new Table({ head: ['logits', 'one call in the page', 'in one worker', `in ${workers} workers`], style: { head: [], border: [] } })
  for (const { size, isolated, sums, medians } of measured) {
    if (!isolated) throw new Error('the page is not cross-origin isolated')
    for (const [name, sum] of Object.entries(sums)) {
      if (!(Math.abs(sum - sums.page) <= 1e-6 * sums.page)) throw new Error(`${name}: the sum is ${sum}; expected ${sums.page}`)
    }
    table.push([size.toLocaleString('en'), ...['page', 'worker', 'workers'].map((name) => `${medians[name].toFixed(2)} ms`)])
  }
  console.log(table.toString())
} finally {
  await browser.close()
  await site.close()
  rmSync(folder, { recursive: true })
}
