/**
 * A worker of the WebAssembly backend: an instance of the module over the memory that all share, and turns of the calls' parts and
 * blocks. Its text travels inside the package (scripts/embed-wasm.mjs), so it imports nothing.
 */
import type { Message } from './wasm_team.js'

interface Port {
  postMessage(answer: unknown): void
  onmessage: ((event: { readonly data: Message }) => void) | null
}

interface Exports {
  readonly stackRestore: (top: number) => void
  readonly focal_count: (run: number, first: number, last: number) => void
  readonly focal_compute: (run: number, member: number, first: number, last: number) => void
}

/** In browsers a worker's own global, in Node.js what its module for threads has. */
declare const self: Port | undefined
declare function require(name: 'node:worker_threads'): { readonly parentPort: Port }
const port = typeof self === 'object' && 'postMessage' in self ? self : require('node:worker_threads').parentPort

let exports: Exports
let memory: WebAssembly.Memory

port.onmessage = ({ data }) => {
  obey(data).then(
    () => port.postMessage(undefined),
    (error: unknown) => port.postMessage(String(error)),
  )
}

async function obey(message: Message): Promise<void> {
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

function work({ kind, run, member, stack, counter, count, turn }: Extract<Message, { readonly run: number }>): void {
  exports.stackRestore(stack)
  const next = new Int32Array(memory.buffer, counter, 1)
  for (let first; (first = Atomics.add(next, 0, turn)) < count; ) {
    const last = Math.min(first + turn, count)
    if (kind === 'count') exports.focal_count(run, first, last)
    else exports.focal_compute(run, member, first, last)
  }
}
