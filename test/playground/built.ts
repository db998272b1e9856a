/** The playground, built once for a file of tests, served and opened in Chromium. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll } from 'vitest'
import { buildPlayground } from '../../playground/build.js'
import { openBrowser, serve, type Site } from '../support/browser.js'
import type { Built } from './support.js'

/** What it returns is filled before the first test, and gone after the last. */
export function builtForTests(): Built {
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

  return built
}
