/** How Node.js starts the workers of the WebAssembly backend. */
import { Worker } from 'node:worker_threads'
import { reasonOf } from '../../errors.js'
import type { StartWorker } from './worker_handle.js'

export const startNodeWorker: StartWorker = (source, heard, failed) => {
  const worker = new Worker(source, { eval: true, execArgv: [], name: 'focal-loss' })
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
