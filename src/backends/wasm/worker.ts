/**
 * A worker of the WebAssembly backend: an instance of the module over the memory that all share, and turns of the calls' parts and
 * blocks. Its text travels inside the package (scripts/embed-wasm.mjs), so it imports nothing but types.
 */
import type { Message, slots as slotsOfMember } from './messages.js'
import type { SharedBytes } from './region.js'

interface Port {
  postMessage(answer: unknown): void
  onmessage: ((event: { readonly data: Message }) => void) | null
}

interface Exports {
  readonly stackRestore: (top: number) => void
  readonly focal_scan_parts: (run: number) => number
  readonly focal_finish_scan: (run: number, result: number) => number
  readonly focal_blocks: (run: number) => number
  readonly focal_scan: (run: number, first: number, last: number) => void
  readonly focal_compute: (run: number, worker: number, first: number, last: number) => void
}

/**
 * In Node.js and Bun what their module for threads has, elsewhere the worker's own global. Bun has that, too, but what is posted there
 * does not arrive.
 */
declare const self: Port
declare const require: ((name: 'node:worker_threads') => { readonly parentPort: Port | null }) | undefined
const port = (typeof require === 'function' ? require('node:worker_threads').parentPort : null) ?? self

let exports: Exports
let memory: WebAssembly.Memory

port.onmessage = ({ data }) => {
  handle(data).then(
    () => port.postMessage(undefined),
    (error: unknown) => port.postMessage(String(error)),
  )
}

async function handle(message: Message): Promise<void> {
  if (message.kind === 'join') await join(message.module, message.memory)
  else work(message)
}

async function join(module: WebAssembly.Module, shared: WebAssembly.Memory): Promise<void> {
  memory = shared
  const imports: WebAssembly.Imports = {}
  const abort = () => {
    throw new Error('the WebAssembly kernel aborted')
  }
  for (const { module: from, name, kind } of WebAssembly.Module.imports(module)) {
    // The thread that made the call is the only one that allocates
    imports[from] = { ...imports[from], [name]: kind === 'memory' ? memory : abort }
  }
  exports = (await WebAssembly.instantiate(module, imports)).exports as unknown as Exports
}

function work({ run, result, control, worker, workers, stack, inputs, outputs }: Extract<Message, { readonly kind: 'work' }>): void {
  exports.stackRestore(stack)
  const said = new Int32Array(memory.buffer, control, 16)

  /** Takes turns of a stage's work until there is none left, or the call is aborted. */
  function share(stage: number, count: number, turn: number, task: (first: number, last: number) => void): void {
    for (let first; Atomics.load(said, slots.stopped) === 0 && (first = Atomics.add(said, slots.taken + stage, turn)) < count; ) {
      task(first, Math.min(first + turn, count))
    }
  }

  /** Waits until all have ended a stage; the last one to come does what is to be done once. */
  function barrier(stage: number, once?: () => void): void {
    const open = slots.open + stage
    if (Atomics.add(said, slots.arrived + stage, 1) === workers - 1) {
      once?.()
      Atomics.store(said, open, 1)
      Atomics.notify(said, open)
    } else {
      Atomics.wait(said, open, 0)
    }
  }

  if (inputs.length > 0) {
    share(0, piecesOf(inputs), 1, (piece) => copy(inputs, piece, 'in'))
    barrier(0)
  }
  share(1, exports.focal_scan_parts(run), TURN, (first, last) => exports.focal_scan(run, first, last))
  barrier(1, () => Atomics.store(said, slots.status, exports.focal_finish_scan(run, result)))
  if (Atomics.load(said, slots.status) !== 0) return
  share(2, exports.focal_blocks(run), TURN, (first, last) => exports.focal_compute(run, worker, first, last))
  if (outputs.length > 0) {
    barrier(2)
    share(3, piecesOf(outputs), 1, (piece) => copy(outputs, piece, 'out'))
  }
}

/** The types of constants are shared with messages.ts, their values cannot be. */
const slots: typeof slotsOfMember = { stopped: 0, status: 1, taken: 4, arrived: 8, open: 12 }

/** Parts or blocks that are taken at a time: 0.1 ms or so. */
const TURN = 4

/** Bytes that are copied at a time. */
const PIECE = 2 ** 18

function piecesOf(arrays: readonly SharedBytes[]): number {
  return arrays.reduce((count, { bytes }) => count + Math.ceil(bytes / PIECE), 0)
}

function copy(arrays: readonly SharedBytes[], piece: number, direction: 'in' | 'out'): void {
  for (const { buffer, from, bytes, at } of arrays) {
    const pieces = Math.ceil(bytes / PIECE)
    if (piece < pieces) {
      const [begin, length] = [piece * PIECE, Math.min(PIECE, bytes - piece * PIECE)]
      const outside = new Uint8Array(buffer, from + begin, length)
      const inside = new Uint8Array(memory.buffer, at + begin, length)
      if (direction === 'in') inside.set(outside)
      else outside.set(inside)
      return
    }
    piece -= pieces
  }
}
