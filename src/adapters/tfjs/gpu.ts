/** Kernels of this package on TensorFlow.js's webgpu and webgl backends: their tensors' own memory goes in and comes out. */
import type { KernelBackend, Tensor, TensorInfo } from '@tensorflow/tfjs-core'
import type * as tfjs from '@tensorflow/tfjs-core'
import type { Kernel } from '../../backends/shaders/kernel.js'
import { toGlsl } from '../../formulas/shaders/language.js'

export type GpuOperations = Pick<typeof tfjs, 'backend' | 'engine' | 'env'>

/**
 * Runs a kernel: a tensor of this shape, in float32, of a vector kernel `[2 n, 2]`. Inputs and uniforms go by the names that the kernel
 * has for them; it may need fewer.
 */
export type RunKernel = (
  kernel: Kernel,
  inputs: Readonly<Record<string, Tensor>>,
  shape: readonly number[],
  uniforms: Readonly<Record<string, number>>,
) => Tensor

/** What of WebGPUBackend is used; it is no part of @tensorflow/tfjs-core. */
interface WebGpuBackend extends KernelBackend {
  runWebGPUProgram(program: object, inputs: TensorInfo[], dtype: 'float32', uniforms: { type: string; data: number[] }[]): TensorInfo
}

/** What of MathBackendWebGL is used. */
interface WebGlBackend extends KernelBackend {
  readonly texData: { get(dataId: TensorInfo['dataId']): { readonly isPacked?: boolean } }
  compileAndRun(program: object, inputs: TensorInfo[], dtype: 'float32', uniforms: number[][]): TensorInfo
  unpackTensor(input: TensorInfo): TensorInfo
  disposeIntermediateTensorInfo(info: TensorInfo): void
}

function isWebGpu(backend: KernelBackend): backend is WebGpuBackend {
  return 'runWebGPUProgram' in backend
}

function isWebGl(backend: KernelBackend): backend is WebGlBackend {
  return 'compileAndRun' in backend && 'unpackTensor' in backend && 'texData' in backend
}

/** Whether tensors are textures of half floats. The backend's own `floatPrecision()` says the contrary of it, as of 4.22. */
export function hasHalfFloats(tf: Pick<typeof tfjs, 'backend' | 'env'>): boolean {
  return isWebGl(tf.backend()) && !tf.env().getBool('WEBGL_RENDER_FLOAT32_ENABLED')
}

/** `null` where TensorFlow.js's backend runs no kernels, and on webgl 1, whose shaders do not know a number's bits. */
export function kernelRunner(tf: GpuOperations): RunKernel | null {
  const backend = tf.backend()
  const runner = isWebGpu(backend) ? onWebGpu(backend) : isWebGl(backend) && tf.env().getNumber('WEBGL_VERSION') === 2 ? onWebGl(backend) : null
  return runner && ((kernel, inputs, shape, uniforms) => {
    const info = runner(kernel, kernel.inputs.map((name) => inputs[name]), shape.reduce((a, b) => a * b, 1), uniforms)
    // Numbers lie one after another, whatever the shape
    return tf.engine().makeTensorFromTensorInfo({ ...info, shape: [...shape] })
  })
}

type RunFlat = (kernel: Kernel, inputs: readonly Tensor[], size: number, uniforms: Readonly<Record<string, number>>) => TensorInfo

const flat = ({ dataId, dtype }: TensorInfo, size: number): TensorInfo => ({ dataId, dtype, shape: [size] })

const WORKGROUP = 64

function onWebGpu(backend: WebGpuBackend): RunFlat {
  return ({ inputs, uniforms, text, isVector }, tensors, size, values) => {
    const names = Object.keys(uniforms)
    const numbers = isVector ? 4 : 1
    const reads = inputs.map((name) => `fn read_${name}(i: i32) -> f32 {\n  return f32(${name}[i]);\n}\n`).join('')
    const program = {
      variableNames: inputs,
      variableComponents: inputs.map(() => 1),
      outputComponent: numbers,
      outputShape: [size],
      // Pipelines are kept by it
      shaderKey: `focal-loss ${text}`,
      dispatchLayout: { x: [0] },
      dispatch: [Math.ceil(size / numbers / WORKGROUP), 1, 1],
      workgroupSize: [WORKGROUP, 1, 1],
      size: true,
      uniforms: names.map((name) => `${name} : ${uniforms[name]},`).join(' '),
      getUserCode: () => `${reads}${text}
fn main(index : i32) {
  if (index < uniforms.size) {
    setOutputAtIndex(index, output_at(index));
  }
}
`,
    }
    const data = names.map((name) => ({ type: uniforms[name] === 'i32' ? 'int32' : 'float32', data: [values[name]] }))
    return backend.runWebGPUProgram(program, tensors.map((tensor) => flat(tensor, tensor.size)), 'float32', data)
  }
}

function onWebGl(backend: WebGlBackend): RunFlat {
  return ({ inputs, uniforms, text, isVector }, tensors, size, values) => {
    const names = Object.keys(uniforms)
    const reads = inputs.map((name) => `float read_${name}(int i) {\n  return get${name[0].toUpperCase()}${name.slice(1)}(i);\n}\n`).join('')
    const program = {
      variableNames: inputs,
      // Packed, a texel has the four numbers of two rows of two
      outputShape: isVector ? [size / 2, 2] : [size],
      packedOutput: isVector === true,
      // One shader for all sizes
      enableShapeUniforms: true,
      customUniforms: names.map((name) => ({ name, type: uniforms[name] === 'i32' ? 'int' : 'float' })),
      userCode: `${reads}${toGlsl(text)}
void main() {
  setOutput(output_at(getOutputCoords()${isVector ? '.x / 2' : ''}));
}
`,
    }
    // Packed, numbers lie in blocks of two by two
    const unpacked = tensors.map((tensor) => (backend.texData.get(tensor.dataId).isPacked ? backend.unpackTensor(tensor) : tensor))
    const infos = unpacked.map((info, i) => flat(info, tensors[i].size))
    const result = backend.compileAndRun(program, infos, 'float32', names.map((name) => [values[name]]))
    unpacked.forEach((info, i) => info !== tensors[i] && backend.disposeIntermediateTensorInfo(info))
    return result
  }
}
