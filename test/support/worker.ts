/** Worker threads whose programs are in TypeScript, which they do not load themselves. */
import { once } from 'node:events'
import { Worker } from 'node:worker_threads'

/** The first message of a worker that runs `file` (of this folder). */
export async function answerOf(file: string, workerData: unknown): Promise<unknown> {
  const program = new URL(file, import.meta.url).href
  const worker = new Worker(`import('tsx/esm/api').then(({ register }) => (register(), import(${JSON.stringify(program)})))`, { eval: true, workerData })
  const [message] = (await once(worker, 'message')) as [unknown]
  await worker.terminate()
  return message
}
