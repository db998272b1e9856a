/** What each panel has beside its charts: the formula, what to try, where to read on, and code that runs. */
import { execFile } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { Page } from 'playwright-core'
import { describe, expect, it } from 'vitest'
import { type Built, numberIn, reach, rowsOf, shownValue, slide, text, until, withPage } from './support.js'

const root = fileURLToPath(new URL('../../', import.meta.url))
const panels = ['curve', 'imbalance', 'training', 'numbers', 'browser'] as const

async function reachAll(page: Page): Promise<void> {
  for (const panel of ['training', 'numbers', 'browser'] as const) await reach(page, panel)
}

/** What the code of the panel prints, run by Node.js with this package. */
async function printed(page: Page, panel: (typeof panels)[number]): Promise<string> {
  const code = await text(page, `#${panel}-code`)
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', code], { cwd: root })
  return stdout
}

export function guidanceSuite(built: Built): void {
  describe('guidance', () => {
    it('has a formula, something to try, a page of docs and a paper for each panel', () =>
      withPage(built, {}, async (page) => {
        await reachAll(page)
        for (const panel of panels) {
          expect(await page.locator(`#${panel} .formula math mi`).count()).toBeGreaterThan(2)
          expect(await page.locator(`#${panel} .panel-foot button`).count()).toBeGreaterThan(1)
          const links = await page.locator(`#${panel} .panel-foot a`).evaluateAll((all) => all.map((link) => link.getAttribute('href') ?? ''))
          expect(links).toHaveLength(2)
          expect(existsSync(join(built.folder, links[0]))).toBe(true)
          expect(links[1]).toMatch(/^https:\/\/arxiv\.org\/abs\/\d{4}\.\d{5}$/)
        }
        // The invisible function application that sets log apart is not text to compare
        expect((await text(page, '#curve .formula math')).replace('\u2061', '')).toBe('FL(pt)=−αt(1−pt)γlogpt')
        for (const link of await page.locator('footer a').evaluateAll((all) => all.map((one) => one.getAttribute('href') ?? ''))) expect(existsSync(join(built.folder, link))).toBe(true)
      }))

    it('tries what it proposes, and leaves the other panels as they are', () =>
      withPage(built, {}, async (page) => {
        await slide(page, 'imbalance-gamma', 3)
        await page.locator('#curve-try-0').click()
        expect(await shownValue(page, 'curve-gamma')).toBe('0')
        await page.locator('#curve-try-3').click()
        expect(await page.locator('#curve-scale-log').isChecked()).toBe(true)
        // A panel that is not loaded yet finds them when it is
        await page.locator('#training-try-1').click()
        await reach(page, 'training')
        expect(await page.locator('#training-data-wrong').isChecked()).toBe(true)
        expect(await text(page, '#training-lesson')).toMatch(/^One training label in five is wrong/)
        expect([await shownValue(page, 'curve-gamma'), await shownValue(page, 'imbalance-gamma')]).toEqual(['0', '3'])
      }))

    it('marks the panel that is read', () =>
      withPage(built, { viewport: { width: 360, height: 700 } }, async (page) => {
        const current = () => page.locator('nav [aria-current]').allTextContents()
        expect(await until(current, (names) => names.length === 1)).toEqual(['The curve'])
        await page.locator('#browser-title').evaluate((title) => title.scrollIntoView())
        await until(current, (names) => names.join() === 'This browser')
        // In view among the contents, which scroll on a phone
        const box = await page.locator('nav [aria-current]').boundingBox()
        expect((box?.x ?? -1) >= 0 && (box?.x ?? 0) + (box?.width ?? 0) <= 360).toBe(true)
      }))

    it('keeps gamma in view on a phone', () =>
      withPage(built, { viewport: { width: 360, height: 700 } }, async (page) => {
        for (const [panel, chart] of [['curve', '#curve-gradient'], ['imbalance', '#imbalance-figure-negatives']] as const) {
          await page.locator(chart).evaluate((element) => element.scrollIntoView({ block: 'center' }))
          const { top, bottom } = await page.locator(`#${panel}-gamma`).evaluate((element) => element.getBoundingClientRect())
          expect(top).toBeGreaterThanOrEqual(0)
          expect(bottom).toBeLessThan(350)
        }
        expect(await page.locator('#curve-side').isVisible()).toBe(false)
        await page.locator('#curve .more > summary').click()
        expect(await page.locator('#curve-side').isVisible()).toBe(true)
      }))

    it.each([360, 1280])('has targets of 44 pixels on a screen of %d', (width) =>
      withPage(built, { viewport: { width, height: 800 } }, async (page) => {
        await reachAll(page)
        await page.locator('details').evaluateAll((all) => all.forEach((details) => ((details as HTMLDetailsElement).open = true)))
        const small = await page.locator('button, select, summary, nav a, .links a, .chip, .check, .segments label, input[type=range]').evaluateAll((all) =>
          all.flatMap((element) => {
            const { width: across, height } = element.getBoundingClientRect()
            return height > 0 && (height < 43.5 || across < 43.5) ? [`${element.id || element.textContent} ${across} x ${height}`] : []
          }),
        )
        expect(small).toEqual([])
      }),
    )

    it('gives code that prints the readings: the curve', () =>
      withPage(built, {}, async (page) => {
        await slide(page, 'curve-gamma', 3)
        await slide(page, 'curve-at', 0.3)
        await page.locator('#curve-balanced').check()
        await page.locator('#curve-side-negative').check()
        const output = await printed(page, 'curve')
        const rows = await rowsOf(page, 'curve-readings')
        for (const [name, row] of [['cross entropy', 'cross entropy'], ['weighted, 0.8 / 0.2', 'weighted, 0.8 / 0.2'], ['focal loss', 'yours: focal, γ 3, α 0.25']]) {
          expect(output).toContain(`${name}: loss ${rows[row][0]}, |gradient| ${rows[row][1]}\n`)
        }
      }))

    it('gives code that prints the totals: the paper’s first step', () =>
      withPage(built, {}, async (page) => {
        await page.locator('#imbalance-first-step').click()
        const output = await printed(page, 'imbalance')
        expect(numberIn(/cross entropy: total loss ([\d.e+]+)/.exec(output)?.[1] ?? '')).toBeCloseTo(80_403, -1)
        expect(output).toContain('focal loss: total loss 6.0302\n')
      }))

    it('gives code that runs: training, numbers and the browser', () =>
      withPage(built, { hash: 'training.gamma=1.5' }, async (page) => {
        await reachAll(page)
        expect(await printed(page, 'training')).toMatch(/^the last layer starts at -0\.\d+\nloss 0\.\d+ gradient Float32Array/)
        expect(await printed(page, 'numbers')).toMatch(/gamma 2: positives have [\d.]+ % of the gradient\n[^]*average precision \d/)
        expect(await printed(page, 'browser')).toMatch(/^\w+: [\d.]+ ns per logit\n$/)
      }))

    it('gives code for TensorFlow.js and PyTorch with the same settings, to be copied', () =>
      withPage(built, { permissions: ['clipboard-read', 'clipboard-write'], hash: 'curve.gamma=1.5&curve.balanced=yes&curve.alpha=0.4' }, async (page) => {
        await page.locator('#curve-as-code summary').click()
        await page.locator('#curve-language-tfjs').check()
        expect(await text(page, '#curve-code')).toContain('new SigmoidFocalLoss({ gamma: 1.5, alpha: 0.4 })')
        await page.locator('#curve-language-pytorch').check()
        expect(await text(page, '#curve-code')).toContain('alpha=0.4, gamma=1.5')
        await page.locator('#curve-copy').click()
        await until(() => text(page, '#curve-copy'), (label) => label === 'Copied')
        expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(await text(page, '#curve-code'))
      }))

    it('has every page of docs beside it, whose links lead somewhere', () => {
      const folder = join(built.folder, 'docs')
      const pages = readdirSync(folder).filter((name) => name.endsWith('.html'))
      expect(pages.length).toBeGreaterThan(25)
      for (const name of pages) {
        const html = readFileSync(join(folder, name), 'utf8')
        for (const [, target] of html.matchAll(/(?:href|src)="([^":#]+)(?:#[^"]*)?"/g)) expect(existsSync(join(folder, target)), `${name}: ${target}`).toBe(true)
      }
    })
  })
}
