/** Cloudflare's runtime, with the check as its one worker. */
import { writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import type { Findings } from './check.js'
import { start, stop } from './process.js'

/** Seconds that it may take to start, and the check to end. */
const START = 20
const LIMIT = 240

const configuration = (port: number) => `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [(name = "main", worker = (
    modules = [(name = "edge.js", esModule = embed "edge.js"), (name = "focal-loss.wasm", wasm = embed "focal-loss.wasm")],
    compatibilityDate = "2026-01-01",
  ))],
  sockets = [(name = "http", address = "127.0.0.1:${port}", http = (), service = "main")],
);
`

export async function runEdge(binary: string, folder: string, problems: number): Promise<Findings> {
  const port = await freePort()
  const file = join(folder, 'config.capnp')
  writeFileSync(file, configuration(port))
  const child = start([binary, 'serve', file], folder)
  let complained = ''
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (complained += text))
  try {
    const response = await answerOf(`http://127.0.0.1:${port}/?problems=${problems}`)
    const text = await response.text()
    if (!response.ok) throw new Error(`it answers ${response.status}: ${text}`)
    return JSON.parse(text) as Findings
  } catch (error) {
    throw new Error(`${String(error)}\n${complained.slice(-2000)}`, { cause: error })
  } finally {
    stop(child)
  }
}

/** Asks until it listens. */
async function answerOf(url: string): Promise<Response> {
  for (const end = Date.now() + START * 1000; ; ) {
    try {
      return await fetch(url, { signal: AbortSignal.timeout(LIMIT * 1000) })
    } catch (error) {
      if (Date.now() > end) throw error
      await new Promise((later) => setTimeout(later, 100))
    }
  }
}

function freePort(): Promise<number> {
  const server = createServer()
  return new Promise((found, failed) => {
    server.on('error', failed)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => found(typeof address === 'object' && address !== null ? address.port : 0))
    })
  })
}
