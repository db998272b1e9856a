/** Takes the pictures of docs/playground: `npm run playground:screenshots`. Each panel once it has something to show. */
import { fileURLToPath, pathToFileURL } from 'node:url'
import type { Browser, Page } from 'playwright-core'
import sharp from 'sharp'
import { openBrowser } from '../test/support/browser.js'
import { BUILT, buildPlayground } from './build.js'

interface Picture {
  readonly name: string
  readonly width: number
  readonly colours: 'light' | 'dark'
  readonly hash?: string
  /** What is done before. */
  readonly prepare?: (page: Page) => Promise<unknown>
  /** The panel that is seen; the first screen where it is left out. On a phone as much of it as a long screen shows. */
  readonly of?: string
}

/** Of the window, where a picture is not of one panel. */
const [WIDE, PHONE] = [1225, 1500]

async function trained(page: Page): Promise<void> {
  await page.locator('#training-title').scrollIntoViewIfNeeded()
  await page.waitForSelector('#training-results tbody tr')
  await page.locator('#training-start').click()
  await page.locator('#training-step-count', { hasText: '1500 of' }).waitFor({ timeout: 120_000 })
}

async function explained(page: Page): Promise<void> {
  await page.locator('#numbers-title').scrollIntoViewIfNeeded()
  await page.waitForSelector('#numbers-totals tbody tr')
}

async function measured(page: Page): Promise<void> {
  await page.locator('#browser-title').scrollIntoViewIfNeeded()
  await page.locator('#browser-run').click()
  await page.waitForFunction(() => document.querySelector<HTMLTextAreaElement>('#browser-text')?.value !== '', undefined, { timeout: 120_000 })
}

const FASTEST = 'training.speed=fastest'

const pictures: readonly Picture[] = [
  { name: 'curve', width: 1280, colours: 'light' },
  { name: 'imbalance', width: 1280, colours: 'dark', of: '#imbalance' },
  { name: 'training', width: 1280, colours: 'light', of: '#training', hash: FASTEST, prepare: trained },
  { name: 'numbers', width: 1280, colours: 'light', of: '#numbers', prepare: explained },
  { name: 'browser', width: 1280, colours: 'dark', of: '#browser', prepare: measured },
  { name: 'phone-curve', width: 360, colours: 'light', of: '#curve' },
  { name: 'phone-training', width: 360, colours: 'dark', of: '#training', hash: FASTEST, prepare: trained },
]

async function take(browser: Browser, { name, width, colours, hash = '', prepare, of }: Picture): Promise<void> {
  const isPhone = width < 500
  const page = await browser.newPage({ viewport: { width, height: isPhone ? PHONE : WIDE }, colorScheme: colours, deviceScaleFactor: isPhone ? 1.5 : 1 })
  await page.goto(`${pathToFileURL(`${BUILT}/index.html`).href}#${hash}`)
  await page.waitForSelector('#curve-readings tbody tr')
  await prepare?.(page)
  // What sticks to the top of the window would lie across the panel
  if (of !== undefined) await page.addStyleTag({ content: 'nav, .kept, .controls { position: static !important }' })
  if (of !== undefined && !isPhone) await page.addStyleTag({ content: 'section { padding-inline: 1.5rem; margin-inline: -1.5rem }' })
  if (of !== undefined) await page.locator(of).evaluate((panel) => panel.scrollIntoView({ behavior: 'instant' }))
  await page.mouse.move(0, 0)
  await page.waitForTimeout(500)
  const picture = of === undefined || isPhone ? await page.screenshot() : await page.locator(of).screenshot()
  await page.close()
  const file = fileURLToPath(new URL(`../docs/playground/${name}.png`, import.meta.url))
  // Few colours: a palette makes them small
  const { size } = await sharp(picture).png({ palette: true, colours: 64, effort: 10 }).toFile(file)
  console.log(`${file}: ${Math.round(size / 1000)} kB`)
}

await buildPlayground()
const browser = await openBrowser()
for (const picture of pictures) await take(browser, picture)
await browser.close()
