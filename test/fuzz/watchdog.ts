/** Ends the process where one read does not come back: a loop without an end can be left in no other way. */
import { Worker } from 'node:worker_threads'

/** How long a read may take on a busy machine. */
const HANG_S = 30

const PROGRAM = `
const { workerData } = require('node:worker_threads')
let last = -1
for (;;) {
  Atomics.wait(workerData.count, 1, 0, 1000 * workerData.seconds)
  const now = Atomics.load(workerData.count, 0)
  if (now === last) {
    require('node:fs').writeSync(2, 'fuzz: a read hangs; its file is ' + workerData.file + '\\n')
    process.kill(process.pid, 'SIGKILL')
  }
  last = now
}`

/** `file` is where the file is that is being read. */
export class Watchdog {
  readonly #count = new Int32Array(new SharedArrayBuffer(8))

  constructor(file: string) {
    new Worker(PROGRAM, { eval: true, workerData: { count: this.#count, seconds: HANG_S, file } }).unref()
  }

  /** A read begins. */
  feed(): void {
    Atomics.add(this.#count, 0, 1)
  }
}
