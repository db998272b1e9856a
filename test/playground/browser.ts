/** This browser: the measurements, what is passed on, and that nothing wrong is timed. */
import type { Page } from 'playwright-core'
import { describe, expect, it } from 'vitest'
import type { SigmoidFocalLoss } from 'focal-loss'
import { openBrowser } from '../support/browser.js'
import { type Built, numberIn, reach, rowsOf, shownValue, slide, text, until, withPage } from './support.js'

async function measured(page: Page): Promise<string> {
  await page.locator('#browser-run').click()
  return until(() => page.locator('#browser-text').inputValue(), (shown) => shown !== '', 50)
}

export function browserSuite(built: Built): void {
  describe('this browser', () => {
    it('is measured: medians, a chart, and a text to be copied', { timeout: 90_000 }, () =>
      withPage(built, { permissions: ['clipboard-read', 'clipboard-write'] }, async (page) => {
        await reach(page, 'browser')
        expect(await text(page, '#browser-backends')).toBe('wasm: WebAssembly with 128-bit SIMD, 1 threadjs: plain JavaScript in double precision')
        expect(await page.locator('#browser-copy-result').isVisible()).toBe(false)
        const passedOn = await measured(page)
        const cells = await page.locator('#browser-results tbody tr').evaluateAll((rows) => rows.map((row) => Array.from(row.children, (cell) => cell.textContent ?? '')))
        expect(cells.map(([size, backend]) => `${size} ${backend}`)).toEqual(['80', '800', '8,000', '80,000', '800,000'].flatMap((size) => [`${size} wasm`, `${size} js`, `${size} plain loop`]))
        const nanoseconds = cells.map((row) => numberIn(row[3]))
        for (const time of nanoseconds) expect(time).toBeGreaterThan(0)
        // The kernel is ahead on large problems, by how much is the machine's
        const [wasm, js, loop] = nanoseconds.slice(-3)
        expect(wasm).toBeLessThan(js)
        expect(wasm).toBeLessThan(loop)
        expect(await text(page, '#browser-status')).toMatch(/^On 800,000 logits the WebAssembly kernel is [\d.]+ times as fast as a plain loop by hand here\./)
        expect(await page.locator('#browser-chart path[data-series]').count()).toBe(3)
        await slide(page, 'browser-at', 1)
        expect(await shownValue(page, 'browser-at')).toBe('800 logits')
        expect((await rowsOf(page, 'browser-readings')).js[0]).toBe(cells[4][3])
        for (const row of cells) expect(passedOn).toContain(row[2])
        expect(passedOn).toMatch(/^focal-loss \d+\.\d+\.\d+, .*Chrome/)
        await page.locator('#browser-copy-result').click()
        await until(() => text(page, '#browser-copy-result'), (label) => label === 'Copied')
        expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(passedOn)
      }),
    )

    it('measures WebGPU too where there is an adapter', { timeout: 240_000 }, async () => {
      const browser = await openBrowser({ webgpu: true })
      try {
        await withPage({ ...built, browser }, {}, async (page) => {
          await reach(page, 'browser')
          await page.locator('#browser-run').click()
          const passedOn = await until(() => page.locator('#browser-text').inputValue(), (shown) => shown !== '', 200)
          expect(passedOn.match(/ webgpu /g)).toHaveLength(5)
          expect(await page.locator('#browser-chart path[data-series="webgpu"]').count()).toBe(1)
        })
      } finally {
        await browser.close()
      }
    })

    it('measures the loss and the type that are chosen', { timeout: 90_000 }, () =>
      withPage(built, { hash: 'browser.loss=heatmap' }, async (page) => {
        await reach(page, 'browser')
        expect(await page.locator('#browser-loss').inputValue()).toBe('heatmap')
        await page.locator('#browser-loss').selectOption('star')
        await page.locator('#browser-dtype-float64').check()
        expect(await measured(page)).toContain('focal star, a label of 0 or 1 per logit, gamma 2, beta 1, float64')
        expect(await text(page, '#browser-results caption')).toContain('focal star, a label of 0 or 1 per logit, gamma 2, beta 1, float64')
      }),
    )

    it('times nothing that computes something else', () =>
      withPage(built, {}, async (page) => {
        await reach(page, 'browser')
        await page.evaluate(() => {
          const { prototype } = globalThis.playground.library.SigmoidFocalLoss
          const right = Reflect.get(prototype, 'valueAndGrad') as (...call: unknown[]) => { value: number }
          const wrong = function (this: SigmoidFocalLoss, ...call: unknown[]) {
            const result = right.apply(this, call)
            return this.options.backend === 'wasm' ? { ...result, value: 1.001 * result.value } : result
          }
          Reflect.set(prototype, 'valueAndGrad', wrong)
        })
        await page.locator('#browser-run').click()
        const sentence = await until(() => text(page, '#browser-problem'), (shown) => shown !== '')
        expect(sentence).toMatch(/^wasm on sigmoid with 80 logits of float32 gives the sum [\d.]+; expected [\d.]+ to within 0\.00001 of itself\.$/)
        expect(await text(page, '#browser-status')).toBe('Nothing is timed where a result is wrong.')
        expect(await page.locator('#browser-results tbody tr').count()).toBe(0)
      }))
  })
}
