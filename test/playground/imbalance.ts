/** The imbalance: the paper's first step, closed forms where every example is alike, and what every control does. */
import type { Page } from 'playwright-core'
import { describe, expect, it } from 'vitest'
import { type Built, focal, numberIn, rowsOf, shownValue, slide, text, withPage } from './support.js'

const total = async (page: Page, loss: string, of: 'loss' | 'gradient' = 'loss') => numberIn(await text(page, `#imbalance-${loss}-${of}-total`))

/** What easy negatives, hard negatives and positives have, in per cent. */
async function shares(page: Page, loss: string, of: 'loss' | 'gradient'): Promise<number[]> {
  return (await page.locator(`#imbalance-${loss}-${of} .bar-words b`).allTextContents()).map((shown) => numberIn(shown.replace('<', '')))
}

/** Three digits are shown, and all before the point. */
function expectShown(shown: number, exact: number): void {
  expect(Math.abs(shown - exact)).toBeLessThanOrEqual(0.0051 * exact + (exact > 100 ? 0.5 : 0))
}

/** Before the first step every example has the prior's p, so that sums are counts times one loss. */
const ALIKE = 'imbalance.trained=0&imbalance.easy=1000&imbalance.hard=100&imbalance.positives=10&imbalance.prior=0.1'

export function imbalanceSuite(built: Built): void {
  describe('the imbalance', () => {
    it('has the sums of the first step of the paper', () =>
      withPage(built, {}, async (page) => {
        await page.locator('#imbalance-first-step').click()
        expect(await shownValue(page, 'imbalance-easy')).toBe('8,000,000')
        expect(await shownValue(page, 'imbalance-prior')).toBe('0.010')
        expect(await text(page, '#imbalance-cross-entropy-loss-total')).toBe('80,403')
        expect(await text(page, '#imbalance-focal-loss-total')).toBe('6.03')
        expect(await total(page, 'cross-entropy', 'gradient')).toBe(80_000)
        // The point, in the sentence and in the chart
        expect(await text(page, '#imbalance-lesson')).toMatch(/^Summed over 8,000,000 examples the loss is 80,403 under cross entropy and 6\.03 under focal loss, 13,333 times less\. All of it is easy background/)
        expect(await page.locator('#imbalance-totals dd').allTextContents()).toEqual(['80,403', await text(page, '#imbalance-weighted-loss-total'), '6.03'])
        const widths = await page.locator('#imbalance-totals i').evaluateAll((bars) => bars.map((bar) => parseFloat((bar as HTMLElement).style.width)))
        expect(widths[0]).toBe(100)
        expect(widths[2]).toBeCloseTo((100 * 6.0302) / 80_403, 4)
        expectShown(await total(page, 'focal', 'gradient'), 8e6 * focal(0.99, 2, 0.75).gradient)
        // A last bias of zero instead: every anchor is as uncertain as can be
        await slide(page, 'imbalance-prior', 0.5)
        expect(await total(page, 'cross-entropy')).toBe(Math.round(8e6 * Math.LN2))
        await page.locator('#imbalance-reset').click()
        expect(await shownValue(page, 'imbalance-easy')).toBe('100,000')
        expect(await shownValue(page, 'imbalance-trained')).toBe('100 %')
      }))

    it('adds up counts times losses', () =>
      withPage(built, { hash: ALIKE }, async (page) => {
        const [negative, positive] = [focal(0.9, 0), focal(0.1, 0)]
        expectShown(await total(page, 'cross-entropy'), 1100 * negative.loss + 10 * positive.loss)
        expectShown(await total(page, 'cross-entropy', 'gradient'), 1100 * negative.gradient + 10 * positive.gradient)
        const sum = 1100 * negative.loss + 10 * positive.loss
        const expected = [1000 * negative.loss, 100 * negative.loss, 10 * positive.loss].map((part) => (100 * part) / sum)
        const shown = await shares(page, 'cross-entropy', 'loss')
        shown.forEach((share, i) => expect(Math.abs(share - expected[i])).toBeLessThanOrEqual(0.51))
        const widths = await page.locator('#imbalance-cross-entropy-loss .bar .part').evaluateAll((parts) => parts.map((part) => parseFloat((part as HTMLElement).style.width)))
        widths.forEach((width, i) => expect(width).toBeCloseTo(expected[i], 3))
        // Balanced weights give either side half of the gradient where all p are the prior's share of positives, about
        expectShown(await total(page, 'weighted'), (1100 * 10 * negative.loss + 10 * 1100 * positive.loss) / 1110)
        expectShown(await total(page, 'focal'), 1100 * focal(0.9, 2, 0.75).loss + 10 * focal(0.1, 2, 0.25).loss)
      }))

    it.each([
      ['easy', 80, '10,000', 10_000, 100, 10],
      ['hard', 60, '1,000', 1000, 1000, 10],
      ['positives', 40, '100', 1000, 100, 100],
      ['positives', 0, '0', 1000, 100, 0],
    ] as const)('counts the %s that the slider says (%d)', (name, place, shown, easy, hard, positives) =>
      withPage(built, { hash: ALIKE }, async (page) => {
        await slide(page, `imbalance-${name}`, place)
        expect(await shownValue(page, `imbalance-${name}`)).toBe(shown)
        const [e, hd, p] = [name === 'easy' ? easy : 1000, name === 'hard' ? hard : 100, positives]
        expectShown(await total(page, 'cross-entropy'), (e + hd) * focal(0.9, 0).loss + p * focal(0.1, 0).loss)
      }))

    it('takes gamma, alpha and the prior for the focal loss', () =>
      withPage(built, { hash: ALIKE }, async (page) => {
        await slide(page, 'imbalance-gamma', 1)
        expectShown(await total(page, 'focal'), 1100 * focal(0.9, 1, 0.75).loss + 10 * focal(0.1, 1, 0.25).loss)
        await slide(page, 'imbalance-alpha', 0.5)
        expectShown(await total(page, 'focal'), 0.5 * (1100 * focal(0.9, 1).loss + 10 * focal(0.1, 1).loss))
        await page.locator('#imbalance-balanced').uncheck()
        expect(await page.locator('#imbalance-focal h3').textContent()).toBe('Focal loss, γ 1')
        expectShown(await total(page, 'focal'), 1100 * focal(0.9, 1).loss + 10 * focal(0.1, 1).loss)
        await slide(page, 'imbalance-prior', 0.2)
        expectShown(await total(page, 'focal'), 1100 * focal(0.8, 1).loss + 10 * focal(0.2, 1).loss)
      }))

    it('takes the loss from easy negatives as gamma grows, once training has come far', () =>
      withPage(built, {}, async (page) => {
        const [plain] = await shares(page, 'cross-entropy', 'gradient')
        const easy = [(await shares(page, 'focal', 'gradient'))[0]]
        for (const gamma of [1, 0.5, 0]) {
          await slide(page, 'imbalance-gamma', gamma)
          easy.push((await shares(page, 'focal', 'gradient'))[0])
        }
        expect(easy).toEqual([...easy].sort((a, b) => a - b))
        expect(easy[0]).toBeLessThan(5)
        expect(plain).toBeGreaterThan(40)
        expect(await text(page, '#imbalance-lesson')).toContain(`easy negatives have ${plain} % under cross entropy`)
        await slide(page, 'imbalance-trained', 0)
        expect((await shares(page, 'cross-entropy', 'gradient'))[0]).not.toBe(plain)
      }))

    it('draws figure 4: even where all are alike, and ever steeper with gamma where they are not', () =>
      withPage(built, { hash: ALIKE }, async (page) => {
        const read = async (column: number) => Object.values(await rowsOf(page, 'imbalance-readings')).map((cells) => numberIn(cells[column].replace('<', '')))
        expect(await read(0)).toEqual([90, 90, 90, 90, 90])
        await slide(page, 'imbalance-at', 0.25)
        expect(await read(1)).toEqual([25, 25, 25, 25, 25])
        await slide(page, 'imbalance-trained', 1)
        for (const column of [0, 1]) {
          const curves = await read(column)
          expect(curves).toEqual([...curves].sort((a, b) => b - a))
          expect(curves[0]).toBeGreaterThan(curves[4])
        }
        await page.locator('#imbalance-figure-negatives').hover({ position: { x: 300, y: 80 } })
        expect(await shownValue(page, 'imbalance-at')).not.toBe('25 %')
        expect(await page.locator('#imbalance-figure-positives path[data-series]').count()).toBe(5)
      }))
  })
}
