/** The curve: the worked examples, and what every control does to the readings. */
import type { Page } from 'playwright-core'
import { describe, expect, it } from 'vitest'
import { type Built, focal, numberIn, rowsOf, shownValue, slide, text, withPage } from './support.js'

/** The readings of a loss, against the definition at this p_t. */
async function expectReading(page: Page, name: string, truth: number, gamma: number, weight = 1): Promise<void> {
  const [loss, gradient] = (await rowsOf(page, 'curve-readings'))[name].map(numberIn)
  const exact = focal(truth, gamma, weight)
  for (const [shown, value] of [[loss, exact.loss], [gradient, exact.gradient]]) expect(Math.abs(shown - value)).toBeLessThanOrEqual(Math.max(0.00005, 0.006 * value))
}

const labels = (page: Page, id: string) => page.locator(`#${id} text.end`).allTextContents()

export function curveSuite(built: Built): void {
  describe('the curve', () => {
    it('has the worked examples as they are in the papers', () =>
      withPage(built, {}, async (page) => {
        const rows = await rowsOf(page, 'curve-examples')
        expect(rows['cross entropy']).toEqual(['0.0513', '0.0513', '2.3026', '0.1054'])
        expect(rows['weighted, 0.8 / 0.2'].map((cell) => cell.slice(0, 6))).toEqual(['0.0410', '0.0103', '1.8421', '0.0843'])
        expect(rows['focal, γ 1'].slice(2)).toEqual(['2.0723−0.2303 (−10 %)', '0.0105−0.0948 (−90 %)'])
        expect(await text(page, '#curve-lesson')).toContain('gamma 1 takes 0.23 off the hard example (10 %) and 90 % off the easy one')
      }))

    it('follows its own gamma, with alpha and without', () =>
      withPage(built, {}, async (page) => {
        await expectReading(page, 'yours: focal, γ 2', 0.6, 2)
        await slide(page, 'curve-gamma', 3.5)
        expect(await shownValue(page, 'curve-gamma')).toBe('3.5')
        await expectReading(page, 'yours: focal, γ 3.5', 0.6, 3.5)
        expect(await text(page, '#curve-lesson')).toContain('Your gamma 3.5 takes 31 % and 99.9 %')
        expect(await page.locator('#curve-alpha').isDisabled()).toBe(true)
        await page.locator('#curve-balanced').check()
        await expectReading(page, 'yours: focal, γ 3.5, α 0.25', 0.6, 3.5, 0.25)
        await slide(page, 'curve-alpha', 0.6)
        await expectReading(page, 'yours: focal, γ 3.5, α 0.6', 0.6, 3.5, 0.6)
        await expectReading(page, 'focal, γ 1, α 0.6', 0.6, 1, 0.6)
        expect((await rowsOf(page, 'curve-examples'))['yours: focal, γ 3.5, α 0.6'].map((cell) => cell.slice(0, 5))[2]).toBe(focal(0.1, 3.5, 0.6).loss.toFixed(3))
      }))

    it('weighs the sides of weighted cross entropy', () =>
      withPage(built, {}, async (page) => {
        await slide(page, 'curve-weight', 0.7)
        await expectReading(page, 'weighted, 0.7 / 0.3', 0.6, 0, 0.7)
        await page.locator('#curve-side-negative').check()
        await expectReading(page, 'weighted, 0.7 / 0.3', 0.6, 0, 0.3)
        await page.locator('#curve-balanced').check()
        await expectReading(page, 'yours: focal, γ 2, α 0.25', 0.6, 2, 0.75)
        expect(await page.locator('#curve-examples thead').textContent()).toContain('hard negative')
      }))

    it('compares the gammas that are asked for', () =>
      withPage(built, {}, async (page) => {
        expect(await page.locator('#curve-loss path[data-series]').count()).toBe(6)
        await page.locator('#curve-compared-2').check()
        await page.locator('#curve-compared-5').uncheck()
        await page.locator('#curve-compared-0\\.5').uncheck()
        expect(Object.keys(await rowsOf(page, 'curve-readings'))).toEqual(['cross entropy', 'weighted, 0.8 / 0.2', 'focal, γ 1', 'focal, γ 2', 'yours: focal, γ 2'])
        await page.waitForFunction(() => document.querySelectorAll('#curve-gradient path[data-series]').length === 5)
      }))

    it('has linear and logarithmic axes', () =>
      withPage(built, {}, async (page) => {
        expect(await labels(page, 'curve-loss')).toEqual(['0', '1', '2', '3', '4', '5'])
        await page.locator('#curve-scale-log').check()
        await page.waitForFunction(() => document.querySelector('#curve-loss text.end')?.textContent === '10⁻⁶')
        expect(await labels(page, 'curve-gradient')).toEqual(['10⁻⁶', '10⁻⁵', '10⁻⁴', '10⁻³', '0.01', '0.1', '1', '10'])
      }))

    it('is read by the slider, by keys and by the pointer', () =>
      withPage(built, {}, async (page) => {
        await slide(page, 'curve-at', 0.25)
        await expectReading(page, 'cross entropy', 0.25, 0)
        await page.locator('#curve-at').press('ArrowRight')
        expect(await shownValue(page, 'curve-at')).toBe('0.26')
        await expectReading(page, 'focal, γ 0.5', 0.26, 0.5)
        const chart = page.locator('#curve-gradient')
        const { width } = (await chart.boundingBox()) ?? { width: 0 }
        // Axes leave 54 pixels on the left and 14 on the right
        await chart.hover({ position: { x: 54 + 0.5 * (width - 68), y: 100 } })
        expect(await shownValue(page, 'curve-at')).toBe('0.50')
        await expectReading(page, 'yours: focal, γ 2', 0.5, 2)
        expect(await chart.getAttribute('aria-label')).toContain(`At p_t 0.5: cross entropy ${focal(0.5, 0).gradient.toFixed(4)}`)
      }))

    it('is read by a finger', () =>
      withPage(built, { hasTouch: true, viewport: { width: 390, height: 844 } }, async (page) => {
        const chart = page.locator('#curve-loss')
        await chart.scrollIntoViewIfNeeded()
        const { width } = (await chart.boundingBox()) ?? { width: 0 }
        await chart.tap({ position: { x: 54 + 0.3 * (width - 68), y: 100 } })
        expect(await shownValue(page, 'curve-at')).toBe('0.30')
      }))

    it('does not move while it is read', () =>
      withPage(built, {}, async (page) => {
        const height = () => page.locator('#curve').evaluate((element) => element.getBoundingClientRect().height)
        const before = await height()
        for (const at of [0.01, 0.37, 0.99]) {
          await slide(page, 'curve-at', at)
          expect(await height()).toBe(before)
        }
      }))
  })
}
