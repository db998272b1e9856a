/** Kernels of this package on TensorFlow.js's webgl backend. */
import type { KernelBackend, TensorInfo } from '@tensorflow/tfjs-core'
import type { Kernel } from '../../backends/shaders/kernel.js'
import { wholeText } from '../../backends/shaders/sums.js'
import { toGlsl } from '../../formulas/shaders/language.js'
import { flat, type RunFlat } from './flat.js'
import { held, type Layout, layoutOf, numbersOut, packed, packedOut, packedSums, plain, type TextureData, vectors, vectorsOut } from './textures.js'

/** What of MathBackendWebGL is used; it is no part of @tensorflow/tfjs-core. */
interface WebGlBackend extends KernelBackend {
  readonly texData: { get(dataId: TensorInfo['dataId']): TextureData }
  compileAndRun(program: object, inputs: TensorInfo[], dtype: 'float32', uniforms: number[][]): TensorInfo
  makeTensorInfo(shape: number[], dtype: TensorInfo['dtype']): TensorInfo
  disposeIntermediateTensorInfo(info: TensorInfo): void
}

export function isWebGl(backend: KernelBackend): backend is WebGlBackend {
  return 'compileAndRun' in backend && 'makeTensorInfo' in backend && 'texData' in backend
}

export function onWebGl(backend: WebGlBackend): RunFlat {
  return (kernel, tensors, size, values) => {
    const layouts = tensors.map(({ dataId }) => layoutOf(backend.texData.get(dataId)))
    const like = likeOf(kernel, layouts, values.each)
    const isHeld = kernel.inputs.map((name, i) => like !== null && kernel.own?.includes(name) === true && layouts[i]?.shape.join() === like.shape.join())
    const inputs = kernel.inputs.map((name, i) => {
      const layout = layouts[i]
      if (kernel.vectors?.includes(name)) return vectors(name, layout)
      if (layout === null) return plain(name, tensors[i].size)
      return isHeld[i] ? held(name) : packed(name, layout)
    })
    const names = kernel.inputs.filter((_, i) => isHeld[i])
    const output = like !== null ? (kernel.isSum ? packedSums(like, names, size) : packedOut(like, names)) : kernel.isVector ? vectorsOut(size) : numbersOut(size)
    const uniforms = [
      ...Object.entries(kernel.uniforms).map(([name, type]) => ({ name, type: type === 'i32' ? 'int' : 'float', value: values[name] })),
      ...[...inputs, output].flatMap(({ uniforms }) => Object.entries(uniforms).map(([name, value]) => ({ name, type: 'int', value }))),
    ]
    const program = {
      variableNames: kernel.inputs,
      outputShape: output.shape,
      packedOutput: output.isPacked,
      // One shader for all sizes
      enableShapeUniforms: true,
      customUniforms: uniforms.map(({ name, type }) => ({ name, type })),
      userCode: `${output.declared}${inputs.map(({ read }) => read).join('')}${toGlsl(like === null ? wholeText(kernel) : kernel.text)}
void main() {
  ${output.main}
}
`,
    }
    const infos = tensors.map((tensor, i) => aliasOf(backend, tensor, layouts[i]) ?? flat(tensor, tensor.size))
    const result = backend.compileAndRun(program, infos, 'float32', uniforms.map(({ value }) => [value]))
    infos.forEach((info, i) => layouts[i] !== null && release(backend, info))
    return result
  }
}

/**
 * The layout that the result, or the terms of sums of `each`, may have, too: of its own inputs the first's, if each of its texels is of two rows of
 * the matrix, and sums are of whole rows.
 */
function likeOf({ inputs, own = [], isSum }: Kernel, layouts: readonly (Layout | null)[], each: number): Layout | null {
  const like = layouts[inputs.indexOf(own[0])] ?? null
  return like !== null && like.isWhole && !like.isPadded && !(isSum && each % like.columns !== 0) ? like : null
}

/** A packed texture as if it were a plain one, as a program's inputs are either all packed or none. */
function aliasOf(backend: WebGlBackend, { dataId, dtype }: TensorInfo, layout: Layout | null): TensorInfo | null {
  if (layout === null) return null
  const info = backend.makeTensorInfo([...layout.size], dtype)
  Object.assign(backend.texData.get(info.dataId), { isPacked: false, texture: backend.texData.get(dataId).texture, texShape: layout.size })
  return info
}

/** The texture stays its tensor's. */
function release(backend: WebGlBackend, info: TensorInfo): void {
  backend.texData.get(info.dataId).texture = null
  backend.disposeIntermediateTensorInfo(info)
}
