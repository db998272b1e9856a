/** One worker of the WebAssembly backend: how it is started, and what it is told. */
import { BackendError } from '../../errors.js'
import type { SharedBytes } from './region.js'
import { source } from './worker.generated.js'

/** What workers are told; they answer each, with the text of an error where there was one. */
export type Message =
  | { readonly kind: 'join'; readonly module: WebAssembly.Module; readonly memory: WebAssembly.Memory }
  | {
      /** Do a run's parts and blocks together, and the copies of arrays that threads share. */
      readonly kind: 'work'
      readonly run: number
      readonly result: number
      /** The address of what workers tell each other: {@link slots}. */
      readonly control: number
      readonly worker: number
      readonly workers: number
      /** The address above the worker's own stack. */
      readonly stack: number
      readonly inputs: readonly SharedBytes[]
      readonly outputs: readonly SharedBytes[]
    }

/** The integers at `control`; of the last three kinds, one for each of the four stages of a call. */
export const slots = { stopped: 0, status: 1, taken: 4, arrived: 8, open: 12 } as const

/** How long a worker may take to start, in milliseconds: many are started at once, on machines that are busy. */
export const START_LIMIT = 20_000

/** A started worker. */
export interface Worker {
  post(message: Message): void
  terminate(): void
  /** Whether the process is to wait for it. */
  hold(on: boolean): void
}

/** Starts a worker that runs the text. `heard` gets its answers, `failed` what ended it. */
export type StartWorker = (source: string, heard: (answer: unknown) => void, failed: (reason: string) => void) => Worker

let start: StartWorker = startInBrowser

/** How workers are started where there are no web workers. */
export function useWorkers(how: StartWorker): void {
  start = how
}

/** A worker of the pool, which is told one thing at a time. */
export class WorkerHandle {
  readonly #worker: Worker
  /** What ended it. */
  #lost: Error | undefined
  #resolve: () => void = () => undefined
  #reject: (error: Error) => void = () => undefined

  constructor() {
    this.#worker = start(
      source,
      (answer) => {
        if (typeof answer === 'string') this.#reject(new Error(answer))
        else this.#resolve()
      },
      (reason) => {
        this.#lost = new Error(reason)
        this.#reject(this.#lost)
      },
    )
  }

  /**
   * Resolves when it is done; rejects with what it said instead, or with what has ended it. What has not joined by the time limit never
   * will: some engines lose messages, and start workers that hear nothing. Work takes as long as it takes.
   */
  async tell(message: Message): Promise<void> {
    if (this.#lost !== undefined) throw this.#lost
    this.#worker.hold(true)
    let timer: ReturnType<typeof setTimeout> | undefined
    try {
      await new Promise<void>((resolve, reject) => {
        this.#resolve = resolve
        this.#reject = reject
        if (message.kind === 'join') timer = setTimeout(() => reject(new Error(`no answer within ${START_LIMIT / 1000} s`)), START_LIMIT)
        this.#worker.post(message)
      })
    } finally {
      clearTimeout(timer)
      this.#worker.hold(false)
    }
  }

  terminate(): void {
    this.#worker.terminate()
  }
}

/** What browsers have of it. */
interface WebWorker {
  postMessage(message: Message): void
  terminate(): void
  onmessage: ((event: { readonly data: unknown }) => void) | null
  onerror: ((event: { readonly message?: string; preventDefault(): void }) => void) | null
}

type WebWorkerConstructor = new (url: string, options?: { readonly type: 'module' }) => WebWorker

/** As a script, which every browser knows; as a module in Deno, which knows no other workers and says so at once. */
function startScript(Worker: WebWorkerConstructor, url: string): WebWorker {
  try {
    return new Worker(url)
  } catch {
    return new Worker(url, { type: 'module' })
  }
}

function startInBrowser(text: string, heard: (answer: unknown) => void, failed: (reason: string) => void): Worker {
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
