/** Training: the buttons, what every setting does, and that what is shown is what was trained. */
import type { Page } from 'playwright-core'
import { describe, expect, it } from 'vitest'
import { trueProbability } from '../../playground/panels/training/data.js'
import { dataSets } from '../../playground/panels/training/data_sets.js'
import { type Built, focal, numberIn, reach, rowsOf, shownValue, slide, text, until, withPage } from './support.js'

const COLUMNS = { crossEntropy: 0, weighted: 1, smoothed: 2, focal: 3 } as const
type Column = keyof typeof COLUMNS

const stepOf = async (page: Page) => parseInt(await text(page, '#training-step-count'), 10)
const atStep = (page: Page, step: number) => until(() => stepOf(page), (now) => now === step)

async function takeSteps(page: Page, count: number): Promise<void> {
  const from = await stepOf(page)
  for (let i = 1; i <= count; i++) {
    await page.locator('#training-step').click()
    await atStep(page, from + i)
  }
}

async function measure(page: Page, name: string): Promise<Record<Column, number>> {
  const cells = (await rowsOf(page, 'training-results'))[name].map(numberIn)
  return { crossEntropy: cells[0], weighted: cells[1], smoothed: cells[2], focal: cells[3] }
}

/** Presses the button, and waits for the last step. */
async function trainFully(page: Page): Promise<void> {
  await page.locator('#training-start').click()
  await until(() => stepOf(page), (step) => step === 1500, 200)
}

function withTraining(built: Built, hash: string, use: (page: Page) => Promise<void>): Promise<void> {
  return withPage(built, { hash }, async (page) => {
    await reach(page, 'training')
    await use(page)
  })
}

/** The true posterior of a score: the closed form of the docs, from the definition's two gradients. */
function posterior(score: number, gamma: number, alpha: number): number {
  const [positive, negative] = [focal(score, gamma, alpha).gradient, focal(1 - score, gamma, 1 - alpha).gradient]
  return negative / (positive + negative)
}

const pixels = (page: Page, column: Column) => page.locator(`#training-surface-${column}`).evaluate((canvas) => (canvas as HTMLCanvasElement).toDataURL())

export function trainingSuite(built: Built): void {
  describe('training', () => {
    it('starts, pauses, steps and resets', () =>
      withTraining(built, '', async (page) => {
        expect(await text(page, '#training-step-count')).toBe('0 of 1500 steps')
        expect(await text(page, '#training-verdict')).toContain('Nothing is trained yet')
        await takeSteps(page, 2)
        await page.locator('#training-start').click()
        await until(() => stepOf(page), (step) => step > 10)
        expect(await text(page, '#training-start')).toBe('Pause')
        await page.locator('#training-start').click()
        await until(() => text(page, '#training-start'), (label) => label === 'Start')
        const paused = await stepOf(page)
        await page.waitForTimeout(400)
        expect(await stepOf(page)).toBe(paused)
        await page.locator('#training-reset').click()
        await atStep(page, 0)
      }))

    it('runs at the speed that is asked for', () =>
      withTraining(built, 'training.speed=10', async (page) => {
        await page.locator('#training-start').click()
        const begin = Date.now()
        await until(() => stepOf(page), (step) => step >= 8)
        const slowly = (Date.now() - begin) / 8
        expect(slowly).toBeGreaterThan(75)
        // Faster while it runs
        const slow = await stepOf(page)
        await page.locator('#training-speed').selectOption('100')
        const later = Date.now()
        await until(() => stepOf(page), (step) => step >= slow + 50)
        expect((Date.now() - later) / 50).toBeLessThan(0.8 * slowly)
        expect(await text(page, '#training-start')).toBe('Pause')
      }))

    it('gives the same numbers from the same seed, and others from another', () =>
      withTraining(built, '', async (page) => {
        const after = async (seed: number) => {
          await slide(page, 'training-seed', seed)
          await atStep(page, 0)
          await takeSteps(page, 3)
          return rowsOf(page, 'training-results')
        }
        const [first, other] = [await after(3), await after(4)]
        expect(other).not.toEqual(first)
        expect(await after(3)).toEqual(first)
      }))

    it('starts at the prior, or at a bias of zero', () =>
      withTraining(built, 'training.data=rare&training.ratio=99&training.balanced=yes', async (page) => {
        // All networks say about the prior, 0.01, once their scores are calibrated
        for (const mean of Object.values(await measure(page, 'Mean recalibrated'))) expect(Math.abs(mean - 0.01)).toBeLessThan(0.01)
        expect((await measure(page, 'Mean score')).focal).toBeGreaterThan(0.05)
        await page.locator('#training-atPrior').uncheck()
        await until(() => measure(page, 'Mean score'), ({ focal: mean }) => Math.abs(mean - 0.5) < 0.2)
        const { crossEntropy, weighted, focal: focused } = await measure(page, 'Mean score')
        expect([weighted, focused]).toEqual([crossEntropy, crossEntropy])
      }))

    it.each([
      ['data', (page: Page) => page.locator('#training-data-wrong').check()],
      ['ratio', (page: Page) => slide(page, 'training-ratio', 9)],
      ['gamma', (page: Page) => slide(page, 'training-gamma', 0.5)],
      ['alpha', (page: Page) => slide(page, 'training-alpha', 0.75), 'training.balanced=yes'],
      ['balanced', (page: Page) => page.locator('#training-balanced').check()],
      ['rate', (page: Page) => page.locator('#training-rate').selectOption('0.003')],
    ] as const)('begins anew with another %s, and comes to other numbers', (name, change, hash?: string) =>
      withTraining(built, hash ?? '', async (page) => {
        await takeSteps(page, 3)
        const before = await rowsOf(page, 'training-results')
        await change(page)
        await atStep(page, 0)
        await takeSteps(page, 3)
        const after = await rowsOf(page, 'training-results')
        const changed = (column: Column) => Object.keys(before).some((row) => before[row][COLUMNS[column]] !== after[row][COLUMNS[column]])
        expect(changed('focal')).toBe(true)
        // Gamma and alpha are the focal loss's alone
        expect(changed('weighted')).toBe(name === 'ratio' || name === 'rate' || name === 'data')
        if (name === 'ratio') expect(await text(page, '#training-results caption')).toContain('10 % are positive')
      }),
    )

    it('opens with few examples: focal loss has the lower log loss of scores, and the ranking ties', { timeout: 240_000 }, () =>
      withTraining(built, 'training.speed=fastest', async (page) => {
        await trainFully(page)
        expect(await text(page, '#training-lesson')).toMatch(/^Trained on 400 examples, .* Focal loss stays less confident, so its scores have the lower log loss/)
        const [precision, cost, error] = [await measure(page, 'Average precision'), await measure(page, 'Log loss, scores'), await measure(page, 'Calibration error, scores')]
        expect(Math.abs(precision.focal - precision.crossEntropy)).toBeLessThan(0.02)
        expect(cost.focal).toBeLessThan(0.9 * cost.crossEntropy)
        expect(error.focal).toBeLessThan(error.crossEntropy)
        // So does a temperature, and recalibrating undoes it
        expect((await measure(page, 'Log loss, temperature')).crossEntropy).toBeLessThan(0.9 * cost.crossEntropy)
        expect((await measure(page, 'Log loss, recalibrated')).focal).toBeGreaterThan(1.1 * cost.focal)
        expect((await measure(page, 'Fitted temperature')).crossEntropy).toBeGreaterThan(1.5)
        const words = await text(page, '#training-verdict')
        expect(words).toContain(`Average precision: too close to call, ${precision.focal.toFixed(3)} against ${precision.crossEntropy.toFixed(3)} of cross entropy on 1600 positives`)
        expect(words).toContain(`Log loss of the scores: focal loss is ahead, ${cost.focal.toFixed(3)} against ${cost.crossEntropy.toFixed(3)}`)
        // Every loss has a boundary, and its own threshold
        for (const [i, one] of Object.values(await measure(page, 'F1, best on validation')).entries()) {
          expect(one).toBeGreaterThan(0.5)
          expect(await page.locator('.surfaces canvas').nth(i).getAttribute('aria-label')).toMatch(/\d\d % of the square is called positive/)
        }
        expect(await page.locator('#training-start').isDisabled()).toBe(true)
        expect(await page.locator('#training-reliability path[data-series]').count()).toBe(5)
        expect(await page.locator('#training-f1 rect[data-series]').count()).toBe(12)
        // A bar is as high as its number
        const heights = await page.locator('#training-f1 rect[data-series="Focal loss"]').evaluateAll((bars) => bars.map((bar) => Number(bar.getAttribute('height'))))
        const f1 = [(await measure(page, 'F1, score of 0.5')).focal, (await measure(page, 'F1, recalibrated 0.5')).focal, (await measure(page, 'F1, best on validation')).focal]
        // 240 pixels less 12 above and 44 below, for an F1 of 1
        heights.forEach((height, i) => expect(height).toBeCloseTo(184 * f1[i], 0))
        // Read at a recall of 1 by the slider, and elsewhere by the pointer
        const precisions = async () => Object.values(await rowsOf(page, 'training-readings')).map(([shown]) => Number(shown))
        const middle = await precisions()
        await slide(page, 'training-recall', 1)
        const last = await precisions()
        last.forEach((one, i) => expect(one).toBeLessThan(middle[i]))
        await until(async () => (await page.locator('#training-curve').getAttribute('aria-label')) ?? '', (label) => label.includes(`At a recall of 1.00 the precision is: Cross entropy ${last[0].toFixed(3)}; `))
        const { width } = (await page.locator('#training-curve').boundingBox()) ?? { width: 0 }
        await page.locator('#training-curve').hover({ position: { x: 54 + 0.5 * (width - 68), y: 100 } })
        expect(await shownValue(page, 'training-recall')).toBe('0.50')
        expect(await precisions()).toEqual(middle)
      }),
    )

    it('has rare positives: at a score of 0.5 focal loss finds nothing, and every other way the losses tie', { timeout: 240_000 }, () =>
      withTraining(built, 'training.speed=fastest', async (page) => {
        await page.locator('#training-data-rare').check()
        expect([await shownValue(page, 'training-ratio'), await page.locator('#training-balanced').isChecked()]).toEqual(['30', true])
        await trainFully(page)
        expect((await measure(page, 'F1, score of 0.5')).focal).toBeLessThan(0.05)
        for (const [name, close] of [['Average precision', 0.03], ['F1, recalibrated 0.5', 0.06], ['F1, best on validation', 0.03], ['Log loss, recalibrated', 0.003]] as const) {
          const { focal: focused, crossEntropy } = await measure(page, name)
          expect(Math.abs(focused - crossEntropy), name).toBeLessThan(close)
        }
        // Weights push scores up; recalibrated, they are the data's again
        expect((await measure(page, 'Mean score')).weighted).toBeGreaterThan(0.06)
        const { smoothed, ...unsmoothed } = await measure(page, 'Mean recalibrated')
        for (const mean of [smoothed, ...Object.values(unsmoothed)]) expect(Math.abs(mean - 1 / 31)).toBeLessThan(0.01)
        await page.locator('#training-cut-score').check()
        expect(await page.locator('#training-surface-focal').getAttribute('aria-label')).toBe('Focal loss. 0 % of the square is called positive, at a score of 0.50 or more.')
      }),
    )

    it('has wrong labels: cross entropy wins in log loss and calibration, and the ranking ties', { timeout: 240_000 }, () =>
      withTraining(built, 'training.speed=fastest', async (page) => {
        await page.locator('#training-data-wrong').check()
        await trainFully(page)
        const [cost, error, precision] = [await measure(page, 'Log loss, scores'), await measure(page, 'Calibration error, scores'), await measure(page, 'Average precision')]
        expect(cost.crossEntropy).toBeLessThan(0.9 * cost.focal)
        expect(error.crossEntropy).toBeLessThan(0.7 * error.focal)
        expect(Math.abs(precision.focal - precision.crossEntropy)).toBeLessThan(0.02)
        expect(await text(page, '#training-verdict')).toContain('Log loss of the scores: cross entropy is ahead')
      }),
    )

    it('probes any place: its score, what that stands for, and what is true', () =>
      withTraining(built, 'training.data=rare&training.ratio=30&training.balanced=yes', async (page) => {
        const caption = () => text(page, '#training-probe caption')
        expect(await caption()).toContain(`At the circle (1.1, 0.9) the true probability is ${trueProbability(1.1, 0.9, dataSets.rare, 30).toFixed(3)}`)
        const { Score: scores, Recalibrated: probabilities } = await rowsOf(page, 'training-probe')
        expect(scores[0]).toBe(probabilities[0])
        expect(Math.abs(Number(probabilities[3]) - posterior(Number(scores[3]), 2, 0.25))).toBeLessThan(0.002)
        expect(Math.abs(Number(probabilities[1]) - posterior(Number(scores[1]), 0, 30 / 31))).toBeLessThan(0.002)
        await slide(page, 'training-x', -1.2)
        await slide(page, 'training-y', -0.5)
        expect(await caption()).toContain(`(-1.2, -0.5) the true probability is ${trueProbability(-1.2, -0.5, dataSets.rare, 30).toFixed(3)}`)
        const canvas = page.locator('#training-surface-weighted')
        const { width } = (await canvas.boundingBox()) ?? { width: 0 }
        await canvas.click({ position: { x: width / 2, y: width / 4 } })
        expect([await shownValue(page, 'training-x'), await shownValue(page, 'training-y')]).toEqual(['0.0', '1.5'])
      }))

    it('paints scores or recalibrated probabilities', () =>
      withTraining(built, '', async (page) => {
        await page.locator('#training-cut-score').check()
        const before = { crossEntropy: await pixels(page, 'crossEntropy'), focal: await pixels(page, 'focal') }
        await page.locator('#training-cut-recalibrated').check()
        // They are the same for cross entropy
        expect(await pixels(page, 'crossEntropy')).toBe(before.crossEntropy)
        expect(await pixels(page, 'focal')).not.toBe(before.focal)
        await page.locator('#theme-dark').check()
        await until(() => pixels(page, 'crossEntropy'), (painted) => painted !== before.crossEntropy)
        expect(await page.locator('#training-surface-focal').getAttribute('aria-label')).toMatch(/^Focal loss\. [\d.]+ % of the square is called positive, at a score of 0\.\d\d or more\.$/)
      }))
  })
}
