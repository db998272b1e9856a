/** What scripts/check-declarations.mjs compiles against the packed declarations: the entries that need no framework. */
import {
  AsymmetricLoss,
  DeviceArray,
  type DevicePointer,
  FocalStarLoss,
  HeatmapFocalLoss,
  init,
  pin,
  presets,
  QualityFocalLoss,
  type Reduction,
  sigmoidFocalLoss,
  SigmoidFocalLoss,
  SoftmaxFocalLoss,
  VarifocalLoss,
} from 'focal-loss'
import * as wasm from 'focal-loss/wasm'

const single = new Float32Array(2)
const double = new Float64Array(2)

export const returned: readonly [number, number, Float32Array, Float64Array, number] = [
  new SigmoidFocalLoss().value(single, [0, 1]),
  new SigmoidFocalLoss(presets.keras).value(double, [0, 1]),
  new SigmoidFocalLoss({ ...presets.torchvision }).value(single, [0, 1]),
  sigmoidFocalLoss(double, [0, 1]),
  // `undefined` means the default, with exactOptionalPropertyTypes too
  new wasm.SigmoidFocalLoss({ gamma: undefined, alpha: undefined, backend: undefined }).value(single, [0, 1], { mask: undefined, out: undefined }),
]

export const losses: readonly SigmoidFocalLoss[] = [new SigmoidFocalLoss(), new SigmoidFocalLoss({ reduction: 'none' })]
export const family = [
  new AsymmetricLoss(),
  new FocalStarLoss(),
  new HeatmapFocalLoss(),
  new QualityFocalLoss(),
  new SoftmaxFocalLoss({ reduction: 'none' as Reduction }),
  new VarifocalLoss(),
]
export const shown: readonly [number, boolean, number, number] = [
  new AsymmetricLoss().options.margin,
  new AsymmetricLoss().options.constantModulator,
  new HeatmapFocalLoss().options.gamma,
  new QualityFocalLoss().options.beta,
]

/** Whoever has no AbortController in their types may pass what behaves like its signal. */
export async function gradient(signal: wasm.AbortSignalLike): Promise<Float64Array> {
  await init('wasm', { workers: undefined })
  const { grad } = await new SigmoidFocalLoss().valueAndGradAsync(double, [0, 1], { signal })
  return grad
}

export function onGpu(pointer: DevicePointer<'float32'>): Float32Array {
  const array = DeviceArray.from(pin(single).array)
  array.set(pointer)
  const { grad } = new SigmoidFocalLoss().valueAndGrad(array, [0, 1])
  array.dispose()
  return grad.toHost()
}
