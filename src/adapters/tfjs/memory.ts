/**
 * The numbers of tensors, read and written where they lie. `dataSync` of the cpu backend gives its own arrays; that of the wasm
 * backend copies, which takes longer than the loss, so there its memory is viewed, as its own kernels view it.
 */
import type { KernelBackend, Tensor, TensorInfo } from '@tensorflow/tfjs-core'
import type * as tfjs from '@tensorflow/tfjs-core'
import type { NumericArray } from '../../arrays/numeric_array.js'

export type MemoryOperations = Pick<typeof tfjs, 'backend' | 'engine' | 'tensor'>

/** What of BackendWasm is used; it is no part of @tensorflow/tfjs-core. */
interface HeapBackend extends KernelBackend {
  typedArrayFromHeap(info: TensorInfo): NumericArray
  makeOutput(shape: number[], dtype: 'float32'): TensorInfo
  getMemoryOffset(dataId: TensorInfo['dataId']): number
}

function isHeapBackend(backend: KernelBackend): backend is HeapBackend {
  return 'typedArrayFromHeap' in backend && 'makeOutput' in backend
}

/**
 * A new tensor that `write` fills, given the numbers of other tensors. None of the arrays may be kept: memory that grows takes
 * them away.
 */
export function fillTensor(
  tf: MemoryOperations,
  shape: readonly number[],
  tensors: readonly Tensor[],
  write: (to: Float32Array, ...from: NumericArray[]) => void,
): Tensor {
  const backend = tf.backend()
  const sizes = [...shape]
  if (isHeapBackend(backend) && !shape.includes(0)) {
    const output = backend.makeOutput(sizes, 'float32')
    const tensor = tf.engine().makeTensorFromTensorInfo(output)
    const from = viewAll(backend, tensors)
    write(backend.typedArrayFromHeap(output) as Float32Array, ...from)
    return tensor
  }
  const to = new Float32Array(sizes.reduce((a, b) => a * b, 1))
  write(to, ...tensors.map(copyOrOwn))
  return tf.tensor(to, sizes, 'float32')
}

/** As {@link fillTensor}, only reading. */
export function readTensors<T>(tf: MemoryOperations, tensors: readonly Tensor[], read: (...from: NumericArray[]) => T): T {
  const backend = tf.backend()
  const heap = isHeapBackend(backend) && tensors.every(({ size }) => size > 0)
  return read(...(heap ? viewAll(backend, tensors) : tensors.map(copyOrOwn)))
}

/** Data made on another backend moves here when it is first asked for, and memory may grow for it, so views come last. */
function viewAll(backend: HeapBackend, tensors: readonly Tensor[]): NumericArray[] {
  for (const { dataId } of tensors) backend.getMemoryOffset(dataId)
  return tensors.map((tensor) => backend.typedArrayFromHeap(tensor))
}

function copyOrOwn(tensor: Tensor): NumericArray {
  return tensor.dataSync<'float32' | 'int32' | 'bool'>()
}
