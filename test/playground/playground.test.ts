/** The playground, built once and used in Chromium. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe } from 'vitest'
import { buildPlayground } from '../../playground/build.js'
import { openBrowser, serve, type Site } from '../support/browser.js'
import { browserSuite } from './browser.js'
import { curveSuite } from './curve.js'
import { imbalanceSuite } from './imbalance.js'
import { numbersSuite } from './numbers.js'
import { pageSuite } from './page.js'
import type { Built } from './support.js'
import { trainingSuite } from './training.js'

const built = {} as Built
let site: Site

beforeAll(async () => {
  built.folder = mkdtempSync(join(tmpdir(), 'focal-loss-playground-'))
  await buildPlayground(built.folder)
  // Not at the root: the page must not mind where it is
  site = await serve({ '/some/where/': built.folder })
  built.url = `${site.url}some/where/`
  built.browser = await openBrowser()
}, 60_000)

afterAll(async () => {
  await built.browser.close()
  await site.close()
  rmSync(built.folder, { recursive: true })
})

describe('the playground', { timeout: 30_000 }, () => {
  curveSuite(built)
  imbalanceSuite(built)
  trainingSuite(built)
  numbersSuite(built)
  browserSuite(built)
  pageSuite(built)
})
