/** The built page in Chromium, and what the tests ask of it. */
import type { Browser, BrowserContextOptions, Page } from 'playwright-core'
import { expect } from 'vitest'

/** Where the suites find the page; filled once it is built. */
export interface Built {
  browser: Browser
  /** The address of the page, served from a folder that is not the root. */
  url: string
  folder: string
}

export interface OpenOptions extends BrowserContextOptions {
  /** What is after `#`. */
  readonly hash?: string
  readonly url?: string
}

/** Opens the page, lets the test use it, and expects that nothing was printed, failed or asked of another place. */
export async function withPage(built: Built, { hash = '', url = built.url, ...context }: OpenOptions, use: (page: Page) => Promise<void>): Promise<void> {
  const opened = await built.browser.newContext({ viewport: { width: 1280, height: 900 }, reducedMotion: 'reduce', ...context })
  opened.setDefaultTimeout(60_000)
  const page = await opened.newPage()
  const complaints: string[] = []
  // Chromium's own words where WebGPU is asked for and there is none: the page then has no such row
  page.on('console', (message) => {
    if (message.text() !== 'No available adapters.') complaints.push(`console: ${message.text()}`)
  })
  page.on('pageerror', (error) => complaints.push(`error: ${String(error)}`))
  page.on('requestfailed', (request) => complaints.push(`failed: ${request.url()}`))
  page.on('request', (request) => {
    if (!isOwn(request.url(), url)) complaints.push(`asks for ${request.url()}`)
  })
  try {
    await page.goto(hash === '' ? url : `${url}#${hash}`)
    await page.waitForSelector('#curve-readings tbody tr')
    await use(page)
    expect(complaints).toEqual([])
  } finally {
    await opened.close()
  }
}

function isOwn(asked: string, url: string): boolean {
  return asked.startsWith(new URL('.', url).href) || /^(data|blob):/.test(asked)
}

/** Comes near a panel, so that it is there. */
export async function reach(page: Page, panel: 'training' | 'numbers' | 'browser'): Promise<void> {
  const ready = { training: '#training-results tbody tr', numbers: '#numbers-totals tbody tr, #numbers-problem:not(:empty)', browser: '#browser-run' }
  await page.locator(`#${panel}-title`).scrollIntoViewIfNeeded()
  await page.waitForSelector(ready[panel], { state: 'attached' })
}

/** Moves a slider as a reader does, in one go. */
export async function slide(page: Page, id: string, value: number): Promise<void> {
  await page.locator(`#${id}`).fill(String(value))
}

export async function text(page: Page, selector: string): Promise<string> {
  return (await page.locator(selector).textContent()) ?? ''
}

/** The value beside a control's label. */
export function shownValue(page: Page, id: string): Promise<string> {
  return text(page, `output[for="${id}"]`)
}

/** The cells of a table's body by the heading of their row. */
export async function rowsOf(page: Page, id: string): Promise<Record<string, string[]>> {
  const rows = await page.locator(`#${id} tbody tr`).evaluateAll((all) => all.map((row) => Array.from(row.children, (cell) => cell.textContent ?? '')))
  return Object.fromEntries(rows.map(([head, ...cells]) => [head, cells]))
}

/** `1,279` and `−0.2303` as numbers. */
export function numberIn(shown: string): number {
  return Number(shown.replace(/,/g, '').replace('−', '-').replace(/ ?%$/, ''))
}

/** The focal loss of p_t and the absolute value of its derivative by the logit, from the definition. */
export function focal(truth: number, gamma: number, weight = 1): { loss: number; gradient: number } {
  const q = 1 - truth
  return { loss: -weight * q ** gamma * Math.log(truth), gradient: weight * q ** gamma * (q - gamma * truth * Math.log(truth)) }
}

/** Waits until what is read satisfies the test, and returns it. */
export async function until<T>(read: () => Promise<T>, isSo: (value: T) => boolean, seconds = 30): Promise<T> {
  const end = Date.now() + 1000 * seconds
  for (;;) {
    const value = await read()
    if (isSo(value)) return value
    if (Date.now() > end) throw new Error(`it is still ${JSON.stringify(value)} after ${seconds} s`)
    await new Promise((later) => setTimeout(later, 50))
  }
}
