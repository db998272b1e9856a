/** A call on arrays of the host: written to a device, computed there, and read back. */
import type { NumericArray } from '../../arrays/numeric_array.js'
import type { Problem } from '../../problem/problem.js'
import { type GpuDevice, mapForReading, usage } from './interface.js'
import { type Numbers, Recorder } from './recorder.js'
import { recordSteps } from './steps.js'

/** Fills `value`, and the problem's gradient. @param limit the most bytes of a binding. */
export async function read(device: GpuDevice, problem: Problem, value: Float32Array, limit: number): Promise<void> {
  const { loss, reduction, targetsKind, outer, classes, inner, normalizer, gradScale } = problem
  const grad = problem.grad as Float32Array
  const bytes = value.byteLength + grad.byteLength
  if (bytes > device.limits.maxBufferSize) {
    throw new RangeError(`loss and gradient take ${bytes} bytes; expected at most ${device.limits.maxBufferSize}, the device's maxBufferSize: request a device with a larger one, or give fewer logits at a time`)
  }
  const recorder = new Recorder(device)
  const arrays = Object.entries({ logits: problem.logits, targets: problem.targets, weights: problem.weights, mask: problem.mask }).flatMap(([name, array]) =>
    array === null ? [] : [[name, recorder.written(singles(array))] as const],
  )
  const outputs: readonly (readonly [Float32Array, Numbers])[] = [value, grad].map((array) => [array, recorder.temporary(array.length)])
  const [[, valueThere], [, gradThere]] = outputs
  recordSteps(
    recorder,
    {
      loss, reduction, kind: targetsKind, outer, classes, inner, normalizer, gradScale,
      arrays: Object.fromEntries(arrays),
      weights: problem.weights === null ? null : problem.weightsPer,
      mask: problem.mask === null ? null : problem.maskPer,
      value: valueThere,
      grad: gradThere,
    },
    limit,
  )
  const copy = device.createBuffer({ size: bytes, usage: usage.mapRead | usage.copyTarget })
  let at = 0
  for (const [array, there] of outputs) {
    recorder.copy(there, copy, at)
    at += array.length
  }
  recorder.submit()
  await copy.mapAsync(mapForReading)
  const numbers = new Float32Array(copy.getMappedRange())
  value.set(numbers.subarray(0, value.length))
  grad.set(numbers.subarray(value.length))
  copy.unmap()
  copy.destroy()
}

/** Class indices, too: up to 16,777,216 they are what they were. */
function singles(array: NumericArray): Float32Array {
  return array instanceof Float32Array ? array : Float32Array.from(array as ArrayLike<number>, Number)
}
