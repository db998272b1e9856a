/** One worker of the WebAssembly backend, from its start to its end. */
import type { Message } from './messages.js'
import { type StartWorker, startWorker, type Worker } from './start_worker.js'
import { source } from './worker.generated.js'

/** How long a worker may take to start, in milliseconds: many are started at once, on machines that are busy. */
export const START_LIMIT = 20_000

let start: StartWorker = startWorker

/** For tests, whose workers say what they are told, or nothing. */
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
