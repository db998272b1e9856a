/** Browsers that open the page of the check, each with a profile of its own, and no driver: the page posts what it finds. */
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { isolation, serve } from '../support/browser.js'
import type { Findings } from './check.js'
import { start, stop } from './process.js'

export interface Browser {
  readonly name: string
  readonly hasWorkers: boolean
  /** What starts it. Throws what is to be done where it is missing. */
  find(): readonly string[]
  open(command: readonly string[], page: string, problems: number): Promise<Findings>
}

/** Seconds that a page has. */
const LIMIT = 240

/** What gives a display to a browser that without one has no WebGL, or does not start. */
const display = '/usr/bin/xvfb-run'

function browser(name: string, files: readonly string[], debian: string, flags: (profile: string) => readonly string[], isDisplayed = false): Browser {
  return {
    name,
    // WebKit on Linux is built without the memory that they share
    hasWorkers: name !== 'WebKitGTK',
    find() {
      const found = files.find((file) => existsSync(file))
      const missing = found === undefined ? files.join(' and ') : isDisplayed && !existsSync(display) ? display : undefined
      if (found === undefined || missing !== undefined) throw new Error(`${missing} missing; install it (Debian: apt-get install -y --no-install-recommends ${debian})`)
      return isDisplayed ? [display, '--auto-servernum', found] : [found]
    },
    async open(command, page, problems) {
      const profile = mkdtempSync(join(tmpdir(), 'focal-loss-profile-'))
      // Firefox's, so that it opens no page of its own
      writeFileSync(join(profile, 'user.js'), 'user_pref("browser.aboutwelcome.enabled", false); user_pref("datareporting.policy.dataSubmissionEnabled", false);\n')
      let heard: (body: string) => void = () => undefined
      const found = new Promise<string>((resolve) => (heard = resolve))
      const site = await serve({ '/': page }, isolation, (body) => heard(body))
      const child = start([...command, ...flags(profile), `${site.url}?problems=${problems}`])
      let timer: ReturnType<typeof setTimeout> | undefined
      const lost = new Promise<never>((_, reject) => {
        timer = setTimeout(() => reject(new Error(`the page said nothing for ${LIMIT} s`)), LIMIT * 1000)
        child.on('error', reject)
        child.on('exit', (code) => reject(new Error(`it ended with ${code} before the page said anything`)))
      })
      try {
        return JSON.parse(await Promise.race([found, lost])) as Findings
      } finally {
        clearTimeout(timer)
        stop(child)
        await site.close()
        rmSync(profile, { recursive: true, force: true, maxRetries: 5 })
      }
    },
  }
}

const webkit = ['4.1', '4.0'].map((version) => `/usr/lib/${process.arch === 'arm64' ? 'aarch64' : 'x86_64'}-linux-gnu/webkit2gtk-${version}/MiniBrowser`)

export const browsers: readonly Browser[] = [
  browser('Chromium', [process.env.FOCAL_LOSS_TEST_CHROMIUM ?? '/usr/bin/chromium'], 'chromium', (profile) => [
    ...['--headless', '--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
    `--user-data-dir=${profile}`,
  ]),
  browser('Firefox ESR', ['/usr/bin/firefox-esr'], 'firefox-esr xvfb xauth', (profile) => ['--no-remote', '--profile', profile], true),
  browser('WebKitGTK', webkit, 'webkit2gtk-driver xvfb xauth', () => ['--private'], true),
]
