/** Chromium and a web server, for tests of what the package does in pages. */
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { extname, join, normalize } from 'node:path'
import { text } from 'node:stream/consumers'
import { type Browser, chromium, type Page } from 'playwright-core'

const flags = ['--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync']

/** WebGPU without a GPU, on the processor. */
const webgpu = ['--enable-unsafe-webgpu', '--use-webgpu-adapter=swiftshader']

/** Starts Chromium: FOCAL_LOSS_TEST_CHROMIUM, or where Debian has it. One that is missing fails the tests. */
export async function openBrowser(options: { webgpu?: boolean } = {}): Promise<Browser> {
  const executablePath = process.env.FOCAL_LOSS_TEST_CHROMIUM ?? '/usr/bin/chromium'
  if (!existsSync(executablePath)) {
    throw new Error(
      `Chromium is missing at ${executablePath}; install it (Debian: apt-get install chromium), or say in FOCAL_LOSS_TEST_CHROMIUM where it is`,
    )
  }
  // Its sandbox refuses to start for root, as which CI runs
  return chromium.launch({ executablePath, args: ['--headless', '--no-sandbox', ...flags, ...(options.webgpu ? webgpu : ['--disable-gpu'])] })
}

const types: Record<string, string> = { '.html': 'text/html', '.css': 'text/css', '.js': 'text/javascript', '.wasm': 'application/wasm' }

/** The headers that make pages cross-origin isolated. */
export const isolation = { 'cross-origin-opener-policy': 'same-origin', 'cross-origin-embedder-policy': 'require-corp' } as const

export interface Site {
  readonly url: string
  close(): Promise<void>
}

/** Serves folders, each below the path that is its key, with these headers on every answer. `heard` gets what pages post. */
export async function serve(
  folders: Readonly<Record<string, string>>,
  headers: Readonly<Record<string, string>> = {},
  heard: (body: string) => void = () => undefined,
): Promise<Site> {
  const server = createServer((request, response) => {
    if (request.method === 'POST') {
      response.writeHead(204, headers).end()
      void text(request).then(heard)
      return
    }
    const path = normalize(new URL(request.url ?? '/', 'http://localhost').pathname)
    const mount = Object.keys(folders).find((prefix) => path.startsWith(prefix)) ?? '/'
    const file = join(folders[mount], path.slice(mount.length))
    readFile(path.endsWith('/') ? join(file, 'index.html') : file).then(
      (content) => response.writeHead(200, { 'content-type': types[extname(file)] ?? 'text/html', ...headers }).end(content),
      () => response.writeHead(404).end(),
    )
  })
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}/`,
    async close() {
      server.closeAllConnections()
      await new Promise((closed) => server.close(closed))
    },
  }
}

export interface Visit {
  /** What the page left in `globalThis.result`. */
  readonly result: unknown
  /** Everything the console showed, and errors nobody caught. */
  readonly printed: readonly string[]
}

/** How long a page may take, in milliseconds: on SwiftShader shaders are compiled slowly. */
const WAIT = 240_000

/** Opens a page, waits for `globalThis.result`, and closes it. `prepare` may change the page before its scripts run. */
export async function visit(browser: Browser, url: string, prepare?: (page: Page) => Promise<unknown>): Promise<Visit> {
  const page = await browser.newPage()
  const printed: string[] = []
  page.on('console', (message) => printed.push(message.text()))
  const failed = new Promise<never>((_, reject) => {
    page.on('pageerror', (error) => {
      printed.push(String(error))
      reject(error)
    })
    page.on('requestfailed', (request) => reject(new Error(`${request.url()}: ${request.failure()?.errorText}`)))
  })
  failed.catch(() => undefined)
  try {
    await prepare?.(page)
    // Whatever the page computes, the wait for its result is long enough
    await page.goto(url, { waitUntil: 'commit' })
    await Promise.race([failed, page.waitForFunction(() => 'result' in globalThis, undefined, { timeout: WAIT })])
    return { result: await page.evaluate(() => (globalThis as { result?: unknown }).result), printed }
  } catch (error) {
    throw new Error(`${url}: ${error instanceof Error ? error.message : String(error)}; the console shows: ${printed.join('\n') || 'nothing'}`, { cause: error })
  } finally {
    await page.close()
  }
}
