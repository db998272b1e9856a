// One thread of the parallel memcpy. state[0] counts the copies asked for, state[1] the threads that have done theirs.
import { parentPort, workerData } from 'node:worker_threads'

const { state, share } = workerData
const from = new Uint8Array(share).fill(1)
const to = new Uint8Array(share).fill(1)
let seen = 0
parentPort.postMessage('ready')
for (;;) {
  Atomics.wait(state, 0, seen)
  seen = Atomics.load(state, 0)
  to.set(from)
  Atomics.add(state, 1, 1)
  Atomics.notify(state, 1)
}
