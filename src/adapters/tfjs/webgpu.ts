/** Kernels of this package on TensorFlow.js's webgpu backend. */
import type { KernelBackend, TensorInfo } from '@tensorflow/tfjs-core'
import { wholeText } from '../../backends/shaders/sums.js'
import { flat, type RunFlat } from './flat.js'

/** What of WebGPUBackend is used; it is no part of @tensorflow/tfjs-core. */
interface WebGpuBackend extends KernelBackend {
  runWebGPUProgram(program: object, inputs: TensorInfo[], dtype: 'float32', uniforms: { type: string; data: number[] }[]): TensorInfo
}

export function isWebGpu(backend: KernelBackend): backend is WebGpuBackend {
  return 'runWebGPUProgram' in backend
}

const WORKGROUP = 64

export function onWebGpu(backend: WebGpuBackend): RunFlat {
  return (kernel, tensors, size, values) => {
    const { inputs, vectors = [], uniforms, isVector } = kernel
    const text = wholeText(kernel)
    const names = Object.keys(uniforms)
    const numbers = isVector ? 4 : 1
    const reads = inputs.map((name) => {
      const type = vectors.includes(name) ? 'vec4<f32>' : 'f32'
      return `fn read_${name}(i: i32) -> ${type} {\n  return ${type}(${name}[i]);\n}\n`
    })
    const program = {
      variableNames: inputs,
      variableComponents: inputs.map((name) => (vectors.includes(name) ? 4 : 1)),
      outputComponent: numbers,
      outputShape: [size],
      // Pipelines are kept by it
      shaderKey: `focal-loss ${text}`,
      dispatchLayout: { x: [0] },
      dispatch: [Math.ceil(size / numbers / WORKGROUP), 1, 1],
      workgroupSize: [WORKGROUP, 1, 1],
      size: true,
      uniforms: names.map((name) => `${name} : ${uniforms[name]},`).join(' '),
      getUserCode: () => `${reads.join('')}${text}
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
