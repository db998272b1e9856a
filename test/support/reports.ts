/** What test/browser/fixtures/report.js must find. */
import { type BackendName, SigmoidFocalLoss } from 'focal-loss'
import { expect } from 'vitest'

export interface Report {
  readonly backend: BackendName
  readonly reasons: Readonly<Record<BackendName, string>>
  readonly value: number
  readonly grad: readonly number[]
  readonly workers: 'same' | 'different' | 'not isolated'
}

export interface PageReport {
  readonly page: Report
  readonly worker: Report
}

const { value, grad } = new SigmoidFocalLoss({ gamma: 2, alpha: 0.25, backend: 'js' }).valueAndGrad(Float32Array.of(2.5, -1, -4, 0.3), [1, 0, 0, 1])

/** Numbers within the contract of float32. For so few logits 'auto' may choose js where wasm is better for more. */
const near = (exact: number): number => expect.closeTo(exact, 8) as number

export function expectedReport(backend: 'wasm' | 'js', workers: Report['workers'] = 'not isolated'): Report {
  return {
    backend,
    reasons: {
      cuda: 'The cuda backend runs in Node.js, Bun and Deno, not in a browser; use wasm or js.',
      native: 'The native backend runs in Node.js, Bun and Deno, not in a browser; use wasm or js.',
      webgpu: "The webgpu backend comes with focal-loss/webgpu: import 'focal-loss/webgpu', then await init('webgpu').",
      wasm: '',
      js: '',
    },
    value: near(value),
    grad: Array.from(grad, near),
    workers,
  }
}
