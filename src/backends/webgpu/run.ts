/** A problem on arrays in host memory: checked there, then written to a device, computed, and read back, a slice at a time. */
import { BackendError, outOfRange, wrongType } from '../../errors.js'
import type { LossConstants } from '../../problem/constants.js'
import { checkOverlaps, divisorOf, type Problem, type Sums } from '../../problem/problem.js'
import { scanSteps } from '../target_scan.js'
import { inTurns } from '../turns.js'
import type { Watch } from '../watch.js'
import { inputsOf, scannable, scatter, type Slice, slicesOf } from './host_arrays.js'
import { type GpuDevice, mapForReading, usage } from './interface.js'
import { checkDevice, type Numbers, Recorder, untilKnown } from './recorder.js'
import { checkClasses, recordSteps } from './steps.js'

/** Throws for a loss that has no kernel. */
export function checkLoss(loss: LossConstants): void {
  if (loss.formula.code < 0) throw wrongType('loss', loss, 'a loss of this package, as one from functions has no kernel')
}

/**
 * Fills the problem's arrays, and returns its sums. Rejects with what the watch throws before anything more is written, and where the device
 * is lost with a {@link BackendError} that says to do what `remedy` says.
 */
export async function run(device: GpuDevice, problem: Problem, watch: Watch, remedy?: string): Promise<Sums> {
  checkDevice(device, remedy)
  try {
    return await runSlices(device, problem, watch)
  } catch (error) {
    await untilKnown(device)
    checkDevice(device, remedy)
    throw error
  }
}

async function runSlices(device: GpuDevice, problem: Problem, watch: Watch): Promise<Sums> {
  const { loss, logits, classes } = problem
  checkLoss(loss)
  checkOverlaps(problem)
  if (problem.dtype === 1) throw wrongType('logits', logits, 'a Float32Array, or half precision, as kernels of WebGPU compute in float32')
  checkClasses(classes)
  const sums = await inTurns(scanSteps(scannable(problem)), watch)
  let { sum } = sums
  for (const slice of slicesOf(problem, mostRows(device, problem))) {
    watch.check()
    const results = await readSlice(device, problem, slice, divisorOf(problem, sums))
    watch.check()
    sum += write(problem, slice, results)
  }
  return { ...sums, sum }
}

/** How many rows a slice may have: no array is longer than a binding, and all that is read back lies in one buffer. */
function mostRows({ limits }: GpuDevice, { loss, classes, grad, hess }: Problem): number {
  const outputs = 1 + Number(grad !== null) + Number(hess !== null)
  const bytes = Math.min(limits.maxStorageBufferBindingSize, Math.floor(limits.maxBufferSize / outputs))
  // Of a softmax's rows four numbers are kept
  const most = Math.floor(bytes / (4 * Math.max(classes, loss.formula.perRow ? 4 : 1)))
  if (most === 0) throw outOfRange('classes', classes, `at most ${Math.floor(bytes / 4)}, as the device's buffers have ${bytes} bytes`)
  return most
}

interface Results {
  /** With reduction 'none' one number an element (softmax: a row), else the slice's sum. */
  readonly value: Float32Array
  readonly grad: Float32Array
  readonly hess: Float32Array
}

async function readSlice(device: GpuDevice, problem: Problem, slice: Slice, divisor: number): Promise<Results> {
  const { loss, weights, mask, values, classes } = problem
  device.pushErrorScope('out-of-memory')
  device.pushErrorScope('validation')
  const recorder = new Recorder(device)
  const inputs = Object.entries(inputsOf(problem, slice)).map(([name, numbers]) => [name, recorder.written(numbers)] as const)
  const rows = slice.outers * slice.inners
  const lengths = {
    value: values === null ? 1 : loss.formula.perRow ? rows : rows * classes,
    grad: problem.grad === null ? 0 : rows * classes,
    hess: problem.hess === null ? 0 : rows * classes,
  }
  const outputs = Object.entries(lengths).flatMap(([name, length]) => (length === 0 ? [] : [[name as keyof Results, recorder.temporary(length)] as const]))
  const { value, grad = null, hess = null } = Object.fromEntries(outputs) as { value: Numbers; grad?: Numbers; hess?: Numbers }
  // A sum is divided on the host, in double precision
  const isSummed = values === null
  recordSteps(
    recorder,
    {
      loss,
      reduction: isSummed ? 'sum' : 'none',
      kind: problem.targetsKind,
      dtype: problem.dtype,
      outer: slice.outers,
      classes,
      inner: slice.inners,
      normalizer: isSummed ? NaN : problem.normalizer,
      gradScale: isSummed ? problem.gradScale / divisor : problem.gradScale,
      arrays: Object.fromEntries(inputs),
      weights: weights && problem.weightsPer,
      mask: mask && problem.maskPer,
      value,
      grad,
      hess: hess && { numbers: hess, least: problem.leastHess * problem.gradScale },
    },
    device.limits.maxStorageBufferBindingSize,
  )
  const length = outputs.reduce((sum, [, numbers]) => sum + numbers.length, 0)
  const copy = device.createBuffer({ size: 4 * length, usage: usage.mapRead | usage.copyTarget })
  let at = 0
  for (const [, numbers] of outputs) {
    recorder.copy(numbers, copy, at)
    at += numbers.length
  }
  recorder.submit()
  const errors = await Promise.all([device.popErrorScope(), device.popErrorScope()])
  const error = errors.find((each) => each !== null)
  if (error) throw new BackendError(`The GPU refuses the call (${error.message}); give fewer logits at a time, or use another backend.`)
  await copy.mapAsync(mapForReading)
  const numbers = new Float32Array(copy.getMappedRange()).slice()
  copy.unmap()
  copy.destroy()
  return {
    value: numbers.subarray(0, lengths.value),
    grad: numbers.subarray(lengths.value, lengths.value + lengths.grad),
    hess: numbers.subarray(lengths.value + lengths.grad),
  }
}

/** Into the caller's arrays. Returns the sum of the slice's losses. */
function write(problem: Problem, slice: Slice, { value, grad, hess }: Results): number {
  const { loss, values, dtype, normalizer } = problem
  if (problem.grad !== null) scatter(problem, slice, grad, problem.grad, problem.gradDtype, 'element')
  if (problem.hess !== null) scatter(problem, slice, hess, problem.hess, problem.hessDtype, 'element')
  if (values === null) return value[0]
  scatter(problem, slice, value, values, dtype, loss.formula.perRow ? 'row' : 'element')
  return value.reduce((sum, each) => sum + each, 0) * (Number.isNaN(normalizer) ? 1 : normalizer)
}
