import { backend as activeBackend, getKernel, registerKernel, unregisterKernel, type TensorInfo } from '@tensorflow/tfjs-core'

const PRODUCT = 'BatchMatMul'
const BACKEND = 'wasm'

/**
 * TensorFlow.js 4.22 multiplies matrices on WebAssembly with XNNPACK, but falls back to a plain loop as soon as one of
 * them is to be transposed, which every gradient of a dense layer asks for. Transposing first and multiplying then makes
 * these products about ten times faster, and the training twice as fast (19200 cells, 24 -> 32 -> 16 -> 1).
 */
export function speedUpTransposedProducts(): void {
  const multiply = kernel(PRODUCT)
  unregisterKernel(PRODUCT, BACKEND)
  registerKernel({
    kernelName: PRODUCT,
    backendName: BACKEND,
    kernelFunc: ({ inputs, attrs, backend }) => {
      const transposed: TensorInfo[] = []
      const ready = (name: 'a' | 'b', flip: unknown): TensorInfo => {
        const matrix = inputs[name] as TensorInfo
        if (flip !== true) return matrix
        const result = transpose(matrix, backend)
        transposed.push(result)
        return result
      }
      const a = ready('a', attrs?.transposeA)
      const b = ready('b', attrs?.transposeB)
      const product = multiply({ inputs: { a, b }, attrs: { transposeA: false, transposeB: false }, backend })
      for (const { dataId } of transposed) activeBackend().disposeData(dataId)
      return product
    },
  })
}

function transpose(matrix: TensorInfo, backend: object): TensorInfo {
  const axes = matrix.shape.map((_, axis) => axis)
  const perm = [...axes.slice(0, -2), ...axes.slice(-2).reverse()]
  return kernel('Transpose')({ inputs: { x: matrix }, attrs: { perm }, backend }) as TensorInfo
}

function kernel(name: string) {
  return getKernel(name, BACKEND).kernelFunc
}
