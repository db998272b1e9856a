/** The kernels of WebGPU on the problems of the benchmark, where this browser has an adapter. */
import { type GpuDevice, webgpuDevice, webgpuLoss } from 'focal-loss/webgpu'
import type { BenchProblem } from '../../../src/cli/bench/cases.js'
import { expectEqual, referenceOf } from '../../../src/cli/bench/check.js'
import { type Measurement, measurement } from '../../../src/cli/bench/result.js'

export const GPU = 'webgpu'

/** `undefined` where there is none: browsers say why in many ways. */
export async function deviceHere(): Promise<GpuDevice | undefined> {
  if (!('gpu' in navigator)) return undefined
  return webgpuDevice().catch(() => undefined)
}

/** Arrays go to the GPU and the gradient comes back in every call. Throws where the result is wrong. */
export async function measureOnGpu(device: GpuDevice, problem: BenchProblem, seconds: number): Promise<Measurement> {
  const { case: benchCase, logits, targets, dtype, elements } = problem
  const loss = webgpuLoss(device, benchCase.make('js'))
  const grad = new Float32Array(logits.length).fill(NaN)
  const call = () => loss.valueAndGradAsync(logits as Float32Array, targets, { grad })
  const { value } = await call()
  expectEqual(`${GPU} on ${benchCase.name} with ${elements} logits of ${dtype}`, { sum: value, grad }, referenceOf(problem))
  const sample: number[] = []
  const end = performance.now() + 1000 * seconds
  while (sample.length < 3 || performance.now() < end) {
    const begin = performance.now()
    await call()
    sample.push((performance.now() - begin) / 1000)
  }
  return measurement(problem, GPU, sample, null)
}
