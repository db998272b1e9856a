/** onnxruntime-node: the forward pass only, it has no gradients. */
import { createRequire } from 'node:module'
import type { BenchProblem } from '../../src/cli/bench/cases.js'
import { allThreads, type Contestant, withThreads } from '../contestants.js'
import { focalLossModel } from './onnx_model.js'
import type { Missing, Peer } from './peer.js'

/** What is used of onnxruntime-node. It is no dependency: 110 MB, and its install script downloads what is not used here. */
interface Onnx {
  readonly InferenceSession: {
    create(model: Uint8Array, options: { intraOpNumThreads: number; logSeverityLevel: number }): Promise<Session>
  }
  readonly Tensor: new (type: 'float32', data: Float32Array, shape: readonly number[]) => object
}
interface Session {
  run(feeds: Record<string, object>): Promise<Record<string, { readonly data: Float32Array }>>
  release(): Promise<void>
}

const ERRORS_ONLY = 3
const INSTALL = 'npm install --no-save --ignore-scripts onnxruntime-node@1.30.0'

export function onnxPeers(): Promise<readonly Peer[] | Missing> {
  let onnx: Onnx
  try {
    onnx = createRequire(import.meta.url)('onnxruntime-node') as Onnx
  } catch {
    return Promise.resolve({ missing: `onnxruntime-node is not installed; ${INSTALL} brings it.` })
  }
  const model = focalLossModel(0.25)
  const peers = [...new Set([1, allThreads])].map((threads): Peer => ({
    loss: 'dense-hard',
    largest: Infinity,
    tolerance: 1e-3,
    contestant: (problem) => onnxContestant(onnx, model, threads, problem),
  }))
  return Promise.resolve(peers)
}

async function onnxContestant(onnx: Onnx, model: Uint8Array, threads: number, problem: BenchProblem): Promise<Contestant> {
  const { logits, targets, case: { classes } } = problem
  const session = await onnx.InferenceSession.create(model, { intraOpNumThreads: threads, logSeverityLevel: ERRORS_ONLY })
  const shape = [logits.length / classes, classes]
  const feeds = {
    x: new onnx.Tensor('float32', logits as Float32Array, shape),
    y: new onnx.Tensor('float32', targets as Float32Array, shape),
  }
  const call = async () => (await session.run(feeds)).sum.data[0]
  return {
    who: withThreads('onnxruntime-node forward', threads),
    threads,
    role: 'peer',
    outcome: async () => ({ sum: await call(), grad: null }),
    work: { kind: 'async', call },
    end: () => session.release(),
  }
}
