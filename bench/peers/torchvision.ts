/** torchvision in a Python process, where Debian's python3-torchvision (or another) can be imported. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { BenchProblem } from '../../src/cli/bench/cases.js'
import { allThreads, type Contestant, withThreads } from '../contestants.js'
import type { Missing, Peer } from './peer.js'

/** Not torchvision.py: Python would take it for the package. */
const SCRIPT = fileURLToPath(new URL('./torchvision_timing.py', import.meta.url))
/** A first one that is not the system's may know nothing of the system's packages. */
const PYTHONS = ['python3', '/usr/bin/python3']

/**
 * glibc gives large blocks back to the system and takes them again at every call, which costs torch most of its time.
 * Tuned, it keeps them.
 */
const KEEP_MEMORY = { MALLOC_MMAP_MAX_: '0', MALLOC_TRIM_THRESHOLD_: '4294967296', MALLOC_TOP_PAD_: '268435456' }

interface Answer {
  readonly sum?: number
  readonly sample?: number[]
}

export function torchvisionPeers(): Promise<readonly Peer[] | Missing> {
  const python = PYTHONS.find((name) => spawnSync(name, ['-c', 'import numpy, torchvision']).status === 0)
  if (python === undefined) {
    const missing = 'torchvision cannot be imported by python3; on Debian, apt-get install python3-torchvision brings it.'
    return Promise.resolve({ missing })
  }
  const peers = [
    torchvisionPeer(python, 1, false),
    torchvisionPeer(python, 1, true),
    ...(allThreads > 1 ? [torchvisionPeer(python, allThreads, true)] : []),
  ]
  return Promise.resolve(peers)
}

function torchvisionPeer(python: string, threads: number, tuned: boolean): Peer {
  let child: Child | undefined
  const folder = mkdtempSync(join(tmpdir(), 'focal-loss-bench-'))
  // However the run ends: it holds hundreds of megabytes
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }))
  return {
    loss: 'dense-hard',
    largest: Infinity,
    tolerance: 1e-3,
    contestant(problem) {
      child ??= new Child(python, threads, tuned)
      return torchvisionContestant(child, folder, withThreads(`torchvision${tuned ? ', allocator tuned' : ''}`, threads), threads, problem)
    },
    close() {
      child?.close()
    },
  }
}

function torchvisionContestant(child: Child, folder: string, who: string, threads: number, problem: BenchProblem): Contestant {
  const files = { logits: join(folder, 'logits'), targets: join(folder, 'targets'), grad: join(folder, 'grad') }
  writeFileSync(files.logits, problem.logits)
  writeFileSync(files.targets, problem.targets)
  return {
    who,
    threads,
    role: 'peer',
    async outcome() {
      const { sum = NaN } = await child.ask({ ...files, classes: problem.case.classes })
      return { sum, grad: new Float32Array(new Uint8Array(readFileSync(files.grad)).buffer) }
    },
    work: { kind: 'elsewhere', sample: async (seconds) => (await child.ask({ seconds })).sample ?? [] },
  }
}

/** The Python process: a line in, a line out. */
class Child {
  readonly #process: ChildProcess
  readonly #lines: AsyncIterator<string>
  readonly #started: Promise<Answer>

  constructor(python: string, threads: number, tuned: boolean) {
    const env = { ...process.env, OMP_NUM_THREADS: String(threads), ...(tuned ? KEEP_MEMORY : {}) }
    this.#process = spawn(python, [SCRIPT, String(threads)], { env, stdio: ['pipe', 'pipe', 'inherit'] })
    const { stdout } = this.#process
    if (stdout === null) throw new Error('python3 has no standard output')
    this.#lines = createInterface({ input: stdout })[Symbol.asyncIterator]()
    this.#started = this.#next()
  }

  async ask(request: object): Promise<Answer> {
    await this.#started
    this.#process.stdin?.write(`${JSON.stringify(request)}\n`)
    return this.#next()
  }

  close(): void {
    this.#process.stdin?.end()
  }

  async #next(): Promise<Answer> {
    const line = await this.#lines.next()
    if (line.done) throw new Error('the Python process ended; its standard error says why')
    return JSON.parse(line.value) as Answer
  }
}
