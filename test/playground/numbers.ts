/** Your numbers: the example, files of both kinds, every control, downloads, and a sentence for every bad file. */
import { readFileSync } from 'node:fs'
import { SyntaxValidator } from 'fast-xml-validator'
import type { Page } from 'playwright-core'
import { describe, expect, it } from 'vitest'
import { evaluate, type ExplainedLoss, SigmoidFocalLoss } from 'focal-loss'
import { cutAt } from '../../playground/panels/numbers/cut.js'
import { npyBytes } from '../support/npy_files.js'
import { type Built, numberIn, reach, rowsOf, shownValue, slide, text, until, withPage } from './support.js'

interface GivenFile {
  readonly name: string
  readonly content: Uint8Array | string
}

const float32 = (name: string, shape: number[], ...values: number[]): GivenFile => ({ name, content: npyBytes({ descr: '<f4', shape, data: Float32Array.from(values) }) })
const bytes = (name: string, shape: number[], ...values: number[]): GivenFile => ({ name, content: npyBytes({ descr: '|u1', shape, data: Uint8Array.from(values) }) })

async function give(page: Page, ...files: GivenFile[]): Promise<void> {
  await page.locator('#numbers-files').setInputFiles(files.map(({ name, content }) => ({ name, mimeType: '', buffer: Buffer.from(content) })))
}

const summary = (page: Page) => text(page, '#numbers-summary')
const summaryWith = (page: Page, words: string) => until(() => summary(page), (shown) => shown.includes(words))
const problem = (page: Page) => until(() => text(page, '#numbers-problem'), (shown) => shown !== '')

async function downloaded(page: Page, button: string): Promise<{ name: string; content: string }> {
  const [saved] = await Promise.all([page.waitForEvent('download'), page.locator(button).click()])
  return { name: saved.suggestedFilename(), content: readFileSync(await saved.path(), 'utf8') }
}

function withNumbers(built: Built, hash: string, use: (page: Page) => Promise<void>): Promise<void> {
  return withPage(built, { hash, acceptDownloads: true }, async (page) => {
    await reach(page, 'numbers')
    await use(page)
  })
}

/** The example, read without the page. */
function example() {
  const data = (name: string) => {
    const file = readFileSync(new URL(`../../playground/panels/numbers/example/${name}`, import.meta.url))
    return file.subarray(10 + file.readUInt16LE(8))
  }
  return { logits: new Float32Array(Uint8Array.from(data('detector-logits.npy')).buffer), targets: Uint8Array.from(data('detector-targets.npy')) }
}

function expectSame(shown: ExplainedLoss, exact: ExplainedLoss): void {
  expect(shown.gamma).toBe(exact.gamma)
  for (const side of ['all', 'positives', 'negatives'] as const) {
    expect(shown[side].count).toBe(exact[side].count)
    for (const of of ['lossShare', 'gradientShare'] as const) expect(shown[side][of]).toBeCloseTo(exact[side][of], 5)
    expect(shown[side].effectiveCount / exact[side].effectiveCount).toBeCloseTo(1, 4)
  }
  expect(shown.hardest.map(({ row }) => row)).toEqual(exact.hardest.map(({ row }) => row))
}

const TABLE = 'a,b,target\n2,-1,0\n0,1,1\n'

const badFiles: readonly (readonly [sentence: string, files: readonly GivenFile[]])[] = [
  ['picture.png is neither .npy nor .csv nor .tsv; expected one of them.', [{ name: 'picture.png', content: 'x' }]],
  ['logits.npy holds one array; choose or drop the logits and the targets together.', [float32('logits.npy', [1], 1)]],
  ['a.npy and b.npy do not tell which of them has the targets; expected "target" or "label" in the name of one.', [float32('a.npy', [1], 1), bytes('b.npy', [1], 1)]],
  ['these are 3 files; expected one table, or two files, logits and targets.', [float32('a.npy', [1], 1), float32('b.npy', [1], 1), float32('c.npy', [1], 1)]],
  ['logits.npy is no .npy file; expected one that numpy.save has written.', [{ name: 'logits.npy', content: 'hello, hello' }, bytes('targets.npy', [1], 1)]],
  ['logits.npy is cut off: it has 4 bytes of data; expected 8 for the shape [2].', [float32('logits.npy', [2], 1), bytes('targets.npy', [2], 1, 0)]],
  ['targets.npy has the shape [3], which does not go with [2, 2] of logits.npy; expected one target for each logit or the index of a class for each row.', [float32('logits.npy', [2, 2], 1, 2, 3, 4), bytes('targets.npy', [3], 1, 0, 1)]],
  ['logits.npy: targets[1] is 7; expected a number from 0 to 1.', [float32('logits.npy', [2], 1, 2), bytes('targets.npy', [2], 1, 7)]],
  ['logits.npy: the loss of logits[0] is NaN; expected a finite number, to share the sum by.', [float32('logits.npy', [1], NaN), bytes('targets.npy', [1], 1)]],
  ['empty.csv is empty; expected lines of numbers.', [{ name: 'empty.csv', content: '' }]],
  ['scores.csv has no column of targets; expected one that is called target, targets, label, labels or y_true among a, b.', [{ name: 'scores.csv', content: 'a,b\n1,0\n' }]],
  ['scores.csv has one column; expected logits and a target beside them, or another file with the targets.', [{ name: 'scores.csv', content: '1\n2\n' }]],
  ["scores.csv, line 3: column 1 is 'x'; expected a number.", [{ name: 'scores.csv', content: 'a,target\n1,0\nx,1\n' }]],
  ['scores.csv, line 3: there are 1 cell; expected 2, as in the first line.', [{ name: 'scores.csv', content: 'a,target\n1,0\n1\n' }]],
  ['scores.csv is no proper table (', [{ name: 'scores.csv', content: 'a,target\n"1,0\n' }]],
]

export function numbersSuite(built: Built): void {
  describe('your numbers', () => {
    it('shows the example that npm start has made, as explain does, and saves it', () =>
      withNumbers(built, '', async (page) => {
        const { logits, targets } = example()
        const positives = targets.filter((target) => target === 1).length
        expect(await summary(page)).toBe(`detector-logits.npy and detector-targets.npy: sigmoid, 19,200 logits, ${positives} positives, ${(19_200 - positives).toLocaleString('en')} negatives.`)
        const { losses } = new SigmoidFocalLoss({ backend: 'wasm' }).explain(logits, targets, { gammas: [0, 0.5, 1, 2, 5], alphas: [null] })
        const json = await downloaded(page, '#numbers-json')
        const saved = JSON.parse(json.content) as { file: string; loss: string; losses: ExplainedLoss[] }
        expect({ name: json.name, file: saved.file, loss: saved.loss }).toEqual({ name: 'explain.json', file: 'detector-logits.npy', loss: 'sigmoid' })
        saved.losses.forEach((one, i) => expectSame(one, losses[i]))
        expect(saved.losses).toHaveLength(5)
        const totals = await rowsOf(page, 'numbers-totals')
        expect(Object.keys(totals)).toEqual(['gamma 0', 'gamma 0.5', 'gamma 1', 'gamma 2', 'gamma 5'])
        expect(Math.abs(numberIn(totals['gamma 2'][1]) / 100 - losses[3].positives.lossShare)).toBeLessThan(0.006)
        const svg = await downloaded(page, '#numbers-svg')
        expect(svg.name).toBe('explain.svg')
        expect(new SyntaxValidator().validate(svg.content)).toBe(true)
        expect(svg.content.match(/<polyline /g)).toHaveLength(20)
      }))

    it('follows its controls', () =>
      withNumbers(built, '', async (page) => {
        await page.locator('#numbers-gammas-5').uncheck()
        await page.locator('#numbers-gammas-0\\.5').uncheck()
        await until(async () => Object.keys(await rowsOf(page, 'numbers-totals')), (rows) => rows.join() === 'gamma 0,gamma 1,gamma 2')
        expect(await page.locator('#numbers-bins-negatives rect[data-series="gamma 1"]').count()).toBeGreaterThan(5)
        expect(await page.locator('#numbers-bins-negatives rect[data-series="gamma 5"]').count()).toBe(0)
        const sum = async () => numberIn((await rowsOf(page, 'numbers-totals'))['gamma 0, alpha 0.5']?.[0] ?? 'NaN')
        const plain = numberIn((await rowsOf(page, 'numbers-totals'))['gamma 0'][0])
        await page.locator('#numbers-balanced').check()
        await slide(page, 'numbers-alpha', 0.5)
        expect(Math.abs((await until(sum, (value) => value > 0)) - plain / 2)).toBeLessThan(0.01 * plain)
        const axis = () => text(page, '#numbers-bins-positives .axis-title[transform]')
        expect(await axis()).toBe('share of all loss')
        await page.locator('#numbers-share-gradientShare').check()
        await until(axis, (title) => title === 'share of all |gradient|')
        const readings = async () => (await rowsOf(page, 'numbers-readings'))['gamma 0, alpha 0.5'][1]
        const at90 = await readings()
        await slide(page, 'numbers-at', 1)
        expect(await readings()).toBe('100 %')
        await page.locator('#numbers-curve-negatives').hover({ position: { x: 200, y: 80 } })
        expect(await shownValue(page, 'numbers-at')).not.toBe('100 %')
        expect(at90).not.toBe('100 %')
      }))

    it('moves a threshold over precision and recall, of scores and of recalibrated ones, as evaluate has them', () =>
      withNumbers(built, '', async (page) => {
        const { logits, targets } = example()
        const { raw, recalibrated } = evaluate(logits, targets, { loss: new SigmoidFocalLoss({ gamma: 2, alpha: 0.25 }) })
        const decided = async (name: string) => (await rowsOf(page, 'numbers-decided'))[name].map(Number)
        for (const threshold of [0.5, 0.2, 0.9]) {
          await slide(page, 'numbers-threshold', threshold)
          for (const [name, scores, scale] of [['raw scores', raw, (p: number) => Math.log(p / (1 - p))], ['recalibrated', recalibrated, undefined]] as const) {
            const [precision, recall, f1, bestF1, from, logLoss, error] = await decided(name)
            expect([bestF1, from, logLoss, error]).toEqual([scores.thresholds?.bestF1.f1, scores.thresholds?.bestF1.probability, scores.logLoss, scores.calibrationError].map((value) => Number(value?.toFixed(3))))
            expect(f1).toBeCloseTo(precision + recall === 0 ? 0 : (2 * precision * recall) / (precision + recall), 2)
            if (scale === undefined) continue
            // Counted by hand, where a score is the sigmoid
            const called = Array.from(logits.keys()).filter((i) => logits[i] >= scale(threshold))
            const found = called.filter((i) => targets[i] === 1).length
            expect(Math.abs(precision - (called.length === 0 ? 1 : found / called.length))).toBeLessThan(0.006)
            expect(Math.abs(recall - found / targets.filter((target) => target === 1).length)).toBeLessThan(0.006)
          }
        }
        // A recalibrated probability is higher or lower than the score, so that the same threshold finds others
        expect((await decided('recalibrated'))[1]).not.toBe((await decided('raw scores'))[1])
        // Without gamma and alpha there is nothing to recalibrate
        await slide(page, 'numbers-trainedGamma', 0)
        await page.locator('#numbers-trainedBalanced').evaluate((box) => (box as HTMLInputElement).click())
        await until(async () => ((await decided('recalibrated')).join() === (await decided('raw scores')).join()), Boolean)
      }))

    it('reads a threshold off the points: the last that is still at least as high', () => {
      const point = (probability: number | null, precision: number, recall: number) => ({ probability, logit: null, precision, recall })
      const precisionRecall = [point(null, 1, 0), point(0.8, 1, 0.5), point(0.4, 0.5, 1)]
      expect(cutAt({ precisionRecall }, 0.9)).toEqual({ precision: 1, recall: 0, f1: 0 })
      expect(cutAt({ precisionRecall }, 0.8)).toEqual({ precision: 1, recall: 0.5, f1: 2 / 3 })
      expect(cutAt({ precisionRecall }, 0.1)).toEqual({ precision: 0.5, recall: 1, f1: 2 / 3 })
      expect(cutAt({ precisionRecall: [] }, 0.5)).toEqual({ precision: 1, recall: 0, f1: 0 })
    })

    it('reads .npy files, one target for each logit', () =>
      withNumbers(built, '', async (page) => {
        await give(page, bytes('my-labels.npy', [4, 2], 1, 0, 0, 1, 0, 0, 1, 0), float32('scores.npy', [4, 2], 2, -1, 0, 1, -3, -2, 1, 0.5))
        await summaryWith(page, 'scores.npy and my-labels.npy: sigmoid, 8 logits in rows of 2, 3 positives, 5 negatives.')
        await page.locator('#numbers-example').click()
        await summaryWith(page, 'detector-logits.npy')
      }))

    it('reads class indices, with a background and targets that count nowhere, and a softmax', () =>
      withNumbers(built, 'numbers.loss=softmax', async (page) => {
        // One logit a row is no choice
        expect(await problem(page)).toBe('detector-logits.npy has one logit a row; expected a row of classes for a softmax.')
        const logits = float32('logits.npy', [4, 2], 2, -1, 0, 1, -3, -2, 1, 0.5)
        await give(page, logits, bytes('targets.npy', [4], 0, 1, 2, 0))
        expect(await until(() => text(page, '#numbers-problem'), (shown) => shown.includes('targets[2]'))).toBe('logits.npy: targets[2] is 2; expected a class in 0..1 (classes count from 0; set background or ignoreIndex to allow others).')
        await page.locator('#numbers-background').selectOption('num-classes')
        await summaryWith(page, 'logits.npy and targets.npy: softmax, 4 rows of 2 classes, 3 with a class, 1 without.')
        expect(await text(page, '#numbers-problem')).toBe('')
        await page.locator('#numbers-loss-sigmoid').check()
        await summaryWith(page, 'sigmoid, 8 logits in rows of 2, 3 positives, 5 negatives.')
        await page.locator('#numbers-ignore').selectOption('255')
        await give(page, logits, bytes('targets.npy', [4], 0, 1, 255, 0))
        await summaryWith(page, 'sigmoid, 6 logits in rows of 2, 3 positives, 3 negatives.')
      }))

    it('takes a table that is dropped', () =>
      withNumbers(built, '', async (page) => {
        const transfer = await page.evaluateHandle((table) => {
          const data = new DataTransfer()
          data.items.add(new File([table], 'scores.csv'))
          return data
        }, TABLE)
        await page.dispatchEvent('#numbers-drop', 'dragover', { dataTransfer: transfer })
        expect(await page.locator('#numbers-drop').getAttribute('class')).toContain('over')
        await page.dispatchEvent('#numbers-drop', 'drop', { dataTransfer: transfer })
        await summaryWith(page, 'scores.csv: sigmoid, 4 logits in rows of 2, 2 positives, 2 negatives.')
        expect(await page.locator('#numbers-drop').getAttribute('class')).not.toContain('over')
        // Tabs, and no header: the last column is the target
        await give(page, { name: 'scores.tsv', content: '2\t1\n-1\t0\n0.5\t1\n' })
        await summaryWith(page, 'scores.tsv: sigmoid, 3 logits, 2 positives, 1 negative.')
      }))

    it('says in one sentence what is wrong with a file', () =>
      withNumbers(built, '', async (page) => {
        for (const [sentence, files] of badFiles) {
          await give(page, ...files)
          expect((await problem(page)).slice(0, sentence.length)).toBe(sentence)
          // What was there before stays, and the next file is welcome
          expect(await summary(page)).toContain('detector-logits.npy')
          await give(page, { name: 'good.csv', content: TABLE })
          await summaryWith(page, 'good.csv')
          await until(() => text(page, '#numbers-problem'), (shown) => shown === '')
          await page.locator('#numbers-example').click()
          await summaryWith(page, 'detector-logits.npy')
        }
      }))
  })
}
