/** The page as a whole: what it loads, where it runs, its address, its colours, keys, widths, and accessibility. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { gzipSync } from 'node:zlib'
import axe from 'axe-core'
import type { Page } from 'playwright-core'
import { describe, expect, it } from 'vitest'
import { serve } from '../support/browser.js'
import { type Built, reach, rowsOf, shownValue, slide, text, until, withPage } from './support.js'

/** Bytes, compressed. */
const FIRST_LOAD = 350_000

const hashOf = (page: Page) => page.evaluate(() => location.hash.slice(1))
const paper = (page: Page) => page.evaluate(() => getComputedStyle(document.body).backgroundColor)
const LIGHT = 'rgb(251, 250, 246)'
const DARK = 'rgb(20, 23, 26)'

async function reachAll(page: Page): Promise<void> {
  for (const panel of ['training', 'numbers', 'browser'] as const) await reach(page, panel)
}

/** What axe finds, one line each. */
async function violations(page: Page): Promise<string[]> {
  await page.evaluate(axe.source)
  return page.evaluate(async () => {
    const { axe: checker } = globalThis as unknown as { axe: typeof axe }
    const { violations: found } = await checker.run(document, { resultTypes: ['violations'] })
    return found.flatMap(({ id, help, nodes }) => nodes.map(({ target, failureSummary }) => `${id}: ${help}; ${target.join(' ')}; ${failureSummary ?? ''}`))
  })
}

/** Of `#rrggbb`, as WCAG defines it. */
function luminance(hex: string): number {
  const [red, green, blue] = [1, 3, 5].map((at) => {
    const part = parseInt(hex.trim().slice(at, at + 2), 16) / 255
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4
  })
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue
}

export function pageSuite(built: Built): void {
  describe('the page', () => {
    it('loads less than 350 kB, compressed, before it can be used', async () => {
      const page = await built.browser.newPage()
      const loaded: string[] = []
      page.on('response', (response) => {
        if (response.url().startsWith('http')) loaded.push(response.url().slice(built.url.length) || 'index.html')
      })
      await page.goto(built.url)
      await page.waitForSelector('#imbalance-readings tbody tr')
      await page.close()
      expect(loaded.sort()).toEqual(['index.html', 'playground.css', 'playground.js'])
      const size = loaded.reduce((sum, name) => sum + gzipSync(readFileSync(join(built.folder, name))).length, 0)
      expect(size).toBeLessThan(FIRST_LOAD)
      // The kernel alone is most of that: nothing was left out
      expect(size).toBeGreaterThan(200_000)
      const [, stated] = /loads\s+(\d+) kB, compressed/.exec(readFileSync(new URL('../../docs/playground.md', import.meta.url), 'utf8')) ?? []
      expect(Math.abs(size / 1000 - Number(stated))).toBeLessThan(5)
    })

    it('runs from file://, every panel of it', () =>
      withPage(built, { url: pathToFileURL(join(built.folder, 'index.html')).href }, async (page) => {
        expect((await rowsOf(page, 'curve-examples'))['cross entropy'][0]).toBe('0.0513')
        await reachAll(page)
        await page.locator('#training-step').click()
        await until(() => text(page, '#training-step-count'), (shown) => shown.startsWith('1 of'))
        expect(await text(page, '#numbers-summary')).toContain('19,200 logits')
        expect(await text(page, '#browser-backends')).toContain('WebAssembly with 128-bit SIMD')
        await slide(page, 'curve-gamma', 1)
        await until(() => hashOf(page), (hash) => hash === 'curve.gamma=1')
      }))

    it('computes with plain TypeScript where WebAssembly is refused, and says so', async () => {
      const site = await serve({ '/': built.folder }, { 'content-security-policy': "script-src 'self'" })
      try {
        const page = await built.browser.newPage()
        await page.goto(site.url)
        expect(await text(page, '#kernel')).toMatch(/^Every number here is computed by the package's plain TypeScript, because WebAssembly was refused/)
        expect((await rowsOf(page, 'curve-examples'))['cross entropy']).toEqual(['0.0513', '0.0513', '2.3026', '0.1054'])
        await page.locator('#training-title').scrollIntoViewIfNeeded()
        await until(() => text(page, '#training-verdict'), (shown) => shown.includes('must allow worker-src blob:'))
        expect(await page.locator('#training-start').isDisabled()).toBe(true)
        await page.close()
      } finally {
        await site.close()
      }
    })

    it('keeps its settings in the address, and shows them again', async () => {
      let hash = ''
      await withPage(built, {}, async (page) => {
        expect(await hashOf(page)).toBe('')
        await slide(page, 'curve-gamma', 3)
        await page.locator('#curve-balanced').check()
        await page.locator('#curve-side-negative').check()
        await page.locator('#curve-compared-5').uncheck()
        await slide(page, 'imbalance-prior', 0.02)
        await page.locator('#theme-dark').check()
        await reachAll(page)
        await slide(page, 'training-seed', 7)
        await page.locator('#training-speed').selectOption('fastest')
        await page.locator('#numbers-share-gradientShare').check()
        await page.locator('#browser-dtype-float64').check()
        hash = await until(() => hashOf(page), (now) => now.includes('browser.dtype'))
      })
      expect(Object.fromEntries(new URLSearchParams(hash))).toEqual({
        'page.theme': 'dark',
        'curve.gamma': '3',
        'curve.balanced': 'yes',
        'curve.side': 'negative',
        'curve.compared': '0.5_1',
        'imbalance.prior': '0.02',
        'training.seed': '7',
        'training.speed': 'fastest',
        'numbers.share': 'gradientShare',
        'browser.dtype': 'float64',
      })
      await withPage(built, { hash }, async (page) => {
        expect(await shownValue(page, 'curve-gamma')).toBe('3')
        expect(await page.locator('#curve-side-negative').isChecked()).toBe(true)
        expect(await shownValue(page, 'imbalance-prior')).toBe('0.020')
        expect(await paper(page)).toBe(DARK)
        // A change before the later panels are loaded leaves theirs as they are
        await slide(page, 'curve-gamma', 4)
        await until(() => hashOf(page), (now) => now.includes('curve.gamma=4'))
        await reachAll(page)
        expect(await shownValue(page, 'training-seed')).toBe('7')
        expect(await page.locator('#training-speed').inputValue()).toBe('fastest')
        expect(await page.locator('#numbers-share-gradientShare').isChecked()).toBe(true)
        expect(await page.locator('#browser-dtype-float64').isChecked()).toBe(true)
        // Changed by hand
        await page.evaluate(() => (location.hash = '#curve.gamma=1.5'))
        await until(() => shownValue(page, 'curve-gamma'), (shown) => shown === '1.5')
        expect(await shownValue(page, 'training-seed')).toBe('1')
        expect(await paper(page)).toBe(LIGHT)
      })
    })

    it('takes no nonsense from the address', () =>
      withPage(built, { hash: 'curve.gamma=-3&curve.alpha=x&curve.compared=7&curve.side=up&imbalance.easy=1.5&imbalance.hard=&page.panel=nowhere' }, async (page) => {
        expect(await shownValue(page, 'curve-gamma')).toBe('2')
        expect(Object.keys(await rowsOf(page, 'curve-readings'))).toHaveLength(6)
        expect(await shownValue(page, 'imbalance-easy')).toBe('100,000')
        expect(await shownValue(page, 'imbalance-hard')).toBe('200')
      }))

    it('is light or dark as the system is, or as the reader says', () =>
      withPage(built, { colorScheme: 'dark' }, async (page) => {
        expect(await paper(page)).toBe(DARK)
        await page.locator('#theme-light').check()
        expect(await paper(page)).toBe(LIGHT)
        await page.locator('#theme-auto').check()
        expect(await paper(page)).toBe(DARK)
        await page.emulateMedia({ colorScheme: 'light' })
        expect(await paper(page)).toBe(LIGHT)
      }))

    it.each(['light', 'dark'] as const)('has lines that stand out from the paper: %s', (colorScheme) =>
      withPage(built, { colorScheme }, async (page) => {
        const colours = await page.evaluate(() => {
          const style = getComputedStyle(document.documentElement)
          return ['paper', 'ink', 'blue', 'vermillion', 'green', 'orange', 'sky', 'purple'].map((name) => style.getPropertyValue(`--${name}`))
        })
        const [ground, ...lines] = colours.map(luminance)
        // WCAG 2.2, 1.4.11: graphics need 3 to 1
        for (const line of lines) expect((Math.max(ground, line) + 0.05) / (Math.min(ground, line) + 0.05)).toBeGreaterThan(3)
        expect(new Set(colours).size).toBe(8)
      }),
    )

    it('is used by keys alone', () =>
      withPage(built, {}, async (page) => {
        const focused = () => page.evaluate(() => document.activeElement?.id ?? '')
        // The second link of the contents
        await page.keyboard.press('Tab')
        await page.keyboard.press('Tab')
        await page.keyboard.press('Enter')
        expect(await focused()).toBe('imbalance-title')
        await page.keyboard.press('Tab')
        expect(await focused()).toBe('imbalance-first-step')
        await page.keyboard.press('Tab')
        await page.keyboard.press('Tab')
        expect(await focused()).toBe('imbalance-gamma')
        await page.keyboard.press('Home')
        expect(await shownValue(page, 'imbalance-gamma')).toBe('0')
        await page.keyboard.press('Tab')
        expect(await focused()).toBe('imbalance-balanced')
        await page.locator('#theme-auto').focus()
        await page.keyboard.press('ArrowRight')
        expect(await focused()).toBe('theme-light')
      }))

    it('goes to the panel that the address or a link names', () =>
      withPage(built, { hash: 'page.panel=browser' }, async (page) => {
        const top = (panel: string) => page.locator(`#${panel}`).evaluate((element) => element.getBoundingClientRect().top)
        await page.waitForSelector('#browser-run')
        expect(Math.abs(await until(() => top('browser'), (y) => Math.abs(y) < 500))).toBeLessThan(500)
        await page.getByRole('link', { name: 'The curve' }).click()
        expect(Math.abs(await until(() => top('curve'), (y) => Math.abs(y) < 100))).toBeLessThan(100)
        await until(() => hashOf(page), (hash) => hash === 'page.panel=curve')
      }))

    it.each([360, 768, 1280, 1920])('fits a screen of %d pixels', (width) =>
      withPage(built, { viewport: { width, height: 844 } }, async (page) => {
        await reachAll(page)
        expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(width)
        const small = await page.locator('.chart text').evaluateAll((labels) => Math.min(...labels.map((label) => parseFloat(getComputedStyle(label).fontSize))))
        expect(small).toBeGreaterThanOrEqual(12)
      }),
    )

    it.each([
      ['light', 1280],
      ['dark', 1280],
      ['light', 360],
      ['dark', 360],
    ] as const)('is accessible (axe): %s, %d pixels', { timeout: 240_000 }, (colorScheme, width) =>
      withPage(built, { colorScheme, viewport: { width, height: 844 } }, async (page) => {
        await reachAll(page)
        await page.locator('#numbers-details summary').click()
        expect(await violations(page)).toEqual([])
      }),
    )

    it('is seen to be inaccessible where it is', () =>
      withPage(built, {}, async (page) => {
        await page.locator('label[for="curve-gamma"]').evaluate((label) => label.remove())
        expect((await violations(page)).join()).toMatch(/label: Form elements must have labels; #curve-gamma/)
      }))
  })
}
