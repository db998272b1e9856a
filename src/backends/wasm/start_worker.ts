/** How a worker of the WebAssembly backend is started: a thread in Node.js and Bun, a web worker elsewhere. */
import { isRestricted, runtime } from '../../environment.js'
import { BackendError, reasonOf } from '../../errors.js'
import type { Message } from './messages.js'

/** A started worker. */
export interface Worker {
  post(message: Message): void
  terminate(): void
  /** Whether the process is to wait for it. */
  hold(on: boolean): void
}

/** Starts a worker that runs the text. `heard` gets its answers, `failed` what ended it. */
export type StartWorker = (source: string, heard: (answer: unknown) => void, failed: (reason: string) => void) => Worker

/** What Node.js and Bun have of it. */
type Threads = typeof import('node:worker_threads')

/** What browsers have of it. */
interface WebWorker {
  postMessage(message: Message): void
  terminate(): void
  onmessage: ((event: { readonly data: unknown }) => void) | null
  onerror: ((event: { readonly message?: string; preventDefault(): void }) => void) | null
}

type WebWorkerConstructor = new (url: string, options?: { readonly type: 'module' }) => WebWorker

/** Not by `Worker` first: Bun has that too, but what is posted there does not arrive. Deno's threads are its web workers with more around them. */
export const startWorker: StartWorker = (source, heard, failed) => {
  const here = runtime()
  return here === 'node' || here === 'bun' ? startThread(source, heard, failed) : startWebWorker(source, heard, failed)
}

/** What there is to do where workers were refused, or did not answer. */
export function workerAdvice(): string {
  const here = runtime()
  if (here === 'browser') return `a content security policy must allow "worker-src blob:" and 'wasm-unsafe-eval'`
  return here === 'node' && isRestricted() ? 'with --permission, run node with --allow-worker, or do without workers' : 'do without workers'
}

function startThread(text: string, heard: (answer: unknown) => void, failed: (reason: string) => void): Worker {
  // Neither imported nor required: this file is in bundles for browsers
  const { process } = globalThis as unknown as { process: { getBuiltinModule?(name: string): unknown } }
  const threads = process.getBuiltinModule?.('node:worker_threads') as Threads | undefined
  if (threads === undefined) throw new BackendError('Workers need Node.js 20.16 or later; do without them.')
  const worker = new threads.Worker(text, { eval: true, execArgv: [], name: 'focal-loss' })
  worker.on('message', heard)
  worker.on('error', (error) => failed(reasonOf(error)))
  worker.on('exit', (code) => failed(`it ended with code ${code}`))
  worker.unref()
  return {
    post: (message) => worker.postMessage(message),
    terminate: () => void worker.terminate(),
    hold: (on) => (on ? worker.ref() : worker.unref()),
  }
}

function startWebWorker(text: string, heard: (answer: unknown) => void, failed: (reason: string) => void): Worker {
  const { Worker } = globalThis as unknown as { Worker?: WebWorkerConstructor }
  if (Worker === undefined) throw new BackendError('There are no workers in this JavaScript engine; do without them.')
  const url = URL.createObjectURL(new Blob([text], { type: 'text/javascript' }))
  const worker = startScript(Worker, url)
  const loaded = () => {
    URL.revokeObjectURL(url)
  }
  worker.onmessage = ({ data }) => {
    loaded()
    heard(data)
  }
  worker.onerror = (event) => {
    loaded()
    event.preventDefault()
    failed(event.message ?? 'it was refused')
  }
  return {
    post: (message) => worker.postMessage(message),
    terminate: () => worker.terminate(),
    hold: () => undefined,
  }
}

/** As a script, which every browser knows; as a module in Deno, which knows no other workers and says so at once. */
function startScript(Worker: WebWorkerConstructor, url: string): WebWorker {
  try {
    return new Worker(url)
  } catch {
    return new Worker(url, { type: 'module' })
  }
}
