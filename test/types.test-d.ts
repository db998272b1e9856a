import {
  type Abortable,
  type AbortSignalLike,
  AsymmetricLoss,
  type BackendName,
  DeviceArray,
  type DevicePointer,
  type ElementwiseLoss,
  type Explanation,
  DistributionFocalLoss,
  FocalStarLoss,
  HeatmapFocalLoss,
  pin,
  presets,
  QualityFocalLoss,
  type Reduction,
  sigmoidFocalLoss,
  SigmoidFocalLoss,
  SoftmaxFocalLoss,
  type Sums,
  VarifocalLoss,
} from 'focal-loss'
import { expectTypeOf, test } from 'vitest'

const single = new Float32Array(2)
const double = new Float64Array(2)

test('the return type follows the reduction', () => {
  expectTypeOf(new SigmoidFocalLoss().value(single, [0, 1])).toEqualTypeOf<number>()
  expectTypeOf(new SigmoidFocalLoss({ gamma: 1 }).value(single, [0, 1])).toEqualTypeOf<number>()
  expectTypeOf(new SoftmaxFocalLoss({ reduction: 'mean-rows' }).value(single, [0])).toEqualTypeOf<number>()
  expectTypeOf(new SigmoidFocalLoss({ ...presets.detectron }).value(single, [0])).toEqualTypeOf<number>()
  expectTypeOf(new SigmoidFocalLoss({ ...presets.torchvision }).value(single, [0])).toEqualTypeOf<Float32Array>()
  expectTypeOf(sigmoidFocalLoss(single, [0, 1], { reduction: 'sum' })).toEqualTypeOf<number>()
})

test('and the array type', () => {
  const loss = new SigmoidFocalLoss({ reduction: 'none' })
  expectTypeOf(loss.value(single, [0, 1])).toEqualTypeOf<Float32Array>()
  expectTypeOf(loss.value(double, [0, 1])).toEqualTypeOf<Float64Array>()
  expectTypeOf(loss.valueAndGrad(double, [0, 1]).grad).toEqualTypeOf<Float64Array>()
  expectTypeOf(loss.valueGradAndHess(single, [0, 1]).hess).toEqualTypeOf<Float32Array>()
  expectTypeOf(sigmoidFocalLoss(double, [0, 1])).toEqualTypeOf<Float64Array>()
})

test('bits stay bits', () => {
  const bits = new Uint16Array(2)
  const loss = new SigmoidFocalLoss({ reduction: 'none' })
  expectTypeOf(loss.valueAndGrad(bits, [0, 1], { dtype: 'float16', grad: bits }).grad).toEqualTypeOf<Uint16Array>()
  expectTypeOf(loss.value(bits, [0, 1], { dtype: 'bfloat16' })).toEqualTypeOf<Uint16Array>()
  // @ts-expect-error no such type of 16 bits
  return () => loss.value(bits, [0, 1], { dtype: 'half' })
})

test('derivatives of half precision may be float32', () => {
  const bits = new Uint16Array(2)
  const loss = new SigmoidFocalLoss()
  const both = loss.valueGradAndHess(bits, [0, 1], { dtype: 'float16', hess: single, gradScale: 1024 })
  expectTypeOf(both.grad).toEqualTypeOf<Uint16Array>()
  expectTypeOf(both.hess).toEqualTypeOf<Float32Array>()
  expectTypeOf(loss.valueAndGrad(bits, [0, 1], { dtype: 'float16', grad: single }).grad).toEqualTypeOf<Float32Array>()
  expectTypeOf(loss.valueAndGradAsync(bits, [0, 1], { dtype: 'float16', grad: single })).toEqualTypeOf<Promise<{ value: number; grad: Float32Array }>>()
  expectTypeOf(loss.sums(bits, [0, 1], { dtype: 'float16', grad: single }).grad).toEqualTypeOf<Float32Array>()
  loss.accumulator().add(bits, [0, 1], { dtype: 'float16', grad: single, gradScale: 2 })
  return () => [
    // @ts-expect-error losses are of the logits' kind
    new SigmoidFocalLoss({ reduction: 'none' }).value(bits, [0, 1], { dtype: 'float16', out: single }),
    // @ts-expect-error float64 is of no half
    loss.valueAndGrad(bits, [0, 1], { dtype: 'float16', grad: double }),
    // @ts-expect-error nor is one half of the other's logits
    loss.valueAndGrad(single, [0, 1], { grad: bits }),
    // @ts-expect-error nothing is scaled
    loss.value(single, [0, 1], { gradScale: 2 }),
  ]
})

test('a reduction known only at run time gives both', () => {
  const reduction = 'none' as Reduction
  expectTypeOf(new SigmoidFocalLoss({ reduction }).value(single, [0, 1])).toEqualTypeOf<number | Float32Array>()
})

test('a loss as a type has any reduction', () => {
  const each = new SigmoidFocalLoss({ reduction: 'none' })
  const mean = new SigmoidFocalLoss()
  const losses: SigmoidFocalLoss[] = [mean, new SigmoidFocalLoss(), new SigmoidFocalLoss({ reduction: 'sum' }), each]
  const take = (loss: SigmoidFocalLoss) => loss.value(double, [0, 1])
  class Model {
    loss: SigmoidFocalLoss = each
    readonly summed: SigmoidFocalLoss<'sum'> = new SigmoidFocalLoss({ reduction: 'sum' })
  }
  expectTypeOf(take(each)).toEqualTypeOf<number | Float64Array>()
  expectTypeOf(losses[0].value(single, [0, 1])).toEqualTypeOf<number | Float32Array>()
  expectTypeOf<Model['loss']['options']['reduction']>().toEqualTypeOf<Reduction>()
  expectTypeOf(new Model().summed.value(single, [0, 1])).toEqualTypeOf<number>()
  expectTypeOf<InstanceType<typeof SigmoidFocalLoss>>().toExtend<SigmoidFocalLoss>()
  expectTypeOf<SoftmaxFocalLoss<'sum'>>().toExtend<SoftmaxFocalLoss>()
  expectTypeOf<FocalStarLoss<'none'>>().toExtend<FocalStarLoss>()
  expectTypeOf<QualityFocalLoss<'sum'>>().toExtend<QualityFocalLoss>()
  expectTypeOf<VarifocalLoss<'none'>>().toExtend<VarifocalLoss>()
  expectTypeOf<HeatmapFocalLoss<'sum'>>().toExtend<HeatmapFocalLoss>()
  expectTypeOf<AsymmetricLoss<'none'>>().toExtend<AsymmetricLoss>()
  expectTypeOf<SigmoidFocalLoss<'none'>>().toExtend<ElementwiseLoss>()
  // @ts-expect-error a number is no array
  const wrong: SigmoidFocalLoss<'none'> = mean
  // @ts-expect-error another loss
  const other: SigmoidFocalLoss = new FocalStarLoss()
  return [wrong, other]
})

test('a loss may be extended, and known by its class', () => {
  class Summed extends SigmoidFocalLoss<'sum'> {
    constructor() {
      super({ reduction: 'sum' })
    }
    twice(logits: Float32Array) {
      return 2 * this.value(logits, [0, 1])
    }
  }
  expectTypeOf(new Summed().twice(single)).toEqualTypeOf<number>()
  const known = (value: unknown) => (value instanceof SigmoidFocalLoss ? value : null)
  expectTypeOf(known).returns.toEqualTypeOf<SigmoidFocalLoss | null>()
})

test('options are shown with their defaults', () => {
  const { options } = new AsymmetricLoss({ margin: undefined })
  expectTypeOf(options.margin).toEqualTypeOf<number>()
  expectTypeOf(options.backend).toEqualTypeOf<BackendName | 'auto' | null>()
  expectTypeOf<undefined>().not.toExtend<(typeof options)[keyof typeof options]>()
  expectTypeOf(new AsymmetricLoss(options).options.reduction).toEqualTypeOf<'mean'>()
})

test('presets are readonly', () => {
  // @ts-expect-error nobody may change it for others
  const changed = () => (presets.keras.gamma = 3)
  expectTypeOf(presets.korniaSoftmax(3, 0.25).alpha).toEqualTypeOf<readonly number[] | null>()
  return changed
})

test('any signal will do', () => {
  expectTypeOf<AbortSignal>().toExtend<AbortSignalLike>()
  expectTypeOf<Abortable>().toEqualTypeOf<{ signal?: AbortSignalLike | undefined }>()
})

test('of every loss of the family', () => {
  expectTypeOf(new FocalStarLoss({ gamma: 3, beta: 0.5 }).value(single, [0, 1])).toEqualTypeOf<number>()
  expectTypeOf(new HeatmapFocalLoss({ ...presets.centernet }).value(single, [0, 1])).toEqualTypeOf<number>()
  expectTypeOf(new FocalStarLoss({ ...presets.fvcoreStar }).value(double, [0, 1])).toEqualTypeOf<Float64Array>()
  expectTypeOf(new QualityFocalLoss({ ...presets.mmdetectionQuality }).valueGradAndHess(single, [0, 1]).hess).toEqualTypeOf<Float32Array>()
  expectTypeOf(new VarifocalLoss({ reduction: 'none' }).valueAndGrad(double, [0, 1], { grad: double }).value).toEqualTypeOf<Float64Array>()
  expectTypeOf(new AsymmetricLoss().valueGradAndHess(double, [0, 1], { clampHess: 1e-4 }).value).toEqualTypeOf<number>()
  expectTypeOf(new AsymmetricLoss().options.margin).toEqualTypeOf<number>()
  expectTypeOf(new QualityFocalLoss().options).not.toHaveProperty('alpha')
  expectTypeOf(new DistributionFocalLoss({ reduction: 'none' }).valueAndGrad(double, [0.5]).value).toEqualTypeOf<Float64Array>()
  expectTypeOf(new SoftmaxFocalLoss().valueGradAndHess(double, [0], { shape: [1, 2] }).hess).toEqualTypeOf<Float64Array>()
})

test('sums has what the call asks for', () => {
  const loss = new SigmoidFocalLoss()
  expectTypeOf(loss.sums(single, [0, 1], { grad: true }).grad).toEqualTypeOf<Float32Array>()
  expectTypeOf(loss.sums(double, [0, 1], { out: double }).out).toEqualTypeOf<Float64Array>()
  expectTypeOf(loss.sums(single, [0, 1])).not.toHaveProperty('grad')
})

test('asynchronous calls promise what the synchronous ones return', () => {
  const { signal } = new AbortController()
  expectTypeOf(new SigmoidFocalLoss().valueAndGradAsync(single, [0, 1], { signal })).toEqualTypeOf<Promise<{ value: number; grad: Float32Array }>>()
  const each = new QualityFocalLoss({ reduction: 'none' }).valueGradAndHessAsync(double, [0, 1], { grad: double, clampHess: 0, signal })
  expectTypeOf(each).toEqualTypeOf<Promise<{ value: Float64Array; grad: Float64Array; hess: Float64Array }>>()
  const rows = new SoftmaxFocalLoss({ reduction: 'none' }).valueGradAndHessAsync(double, [0], { shape: [1, 2], signal })
  expectTypeOf(rows).toEqualTypeOf<Promise<{ value: Float64Array; grad: Float64Array; hess: Float64Array }>>()
})

test('arrays on a GPU give arrays on a GPU', () => {
  // Never called: there may be no GPU
  const made = () => {
    const x = DeviceArray.from(single)
    const theirs: DevicePointer<'bfloat16'> = { ptr: 1n, length: 2, dtype: 'bfloat16', device: 0 }
    const loss = new SigmoidFocalLoss({ reduction: 'none' })
    expectTypeOf(x).toEqualTypeOf<DeviceArray<'float32'>>()
    expectTypeOf(x.toHost()).toEqualTypeOf<Float32Array>()
    expectTypeOf(DeviceArray.from(new Uint16Array(1), { dtype: 'float16' }).toHost()).toEqualTypeOf<Uint16Array>()
    expectTypeOf(DeviceArray.from(new Uint8ClampedArray(1))).toEqualTypeOf<DeviceArray<'uint8'>>()
    expectTypeOf(DeviceArray.alloc('int32', 1)).toEqualTypeOf<DeviceArray<'int32'>>()
    expectTypeOf(loss.value(x, [0, 1])).toEqualTypeOf<DeviceArray<'float32'>>()
    expectTypeOf(loss.valueAndGrad(theirs, x, { grad: theirs }).grad).toEqualTypeOf<DeviceArray<'bfloat16'>>()
    expectTypeOf(loss.valueGradAndHess(x, [0, 1], { hess: x }).hess).toEqualTypeOf<DeviceArray<'float32'>>()
    const halfTheirs = loss.valueGradAndHess(theirs, x, { grad: x })
    expectTypeOf(halfTheirs.grad).toEqualTypeOf<DeviceArray<'float32'>>()
    expectTypeOf(halfTheirs.hess).toEqualTypeOf<DeviceArray<'bfloat16'>>()
    expectTypeOf(loss.valueAndGradAsync(x, x)).toEqualTypeOf<Promise<{ value: DeviceArray<'float32'>; grad: DeviceArray<'float32'> }>>()
    expectTypeOf(new SoftmaxFocalLoss().sums(x, [0], { grad: true }).grad).toEqualTypeOf<DeviceArray<'float32'>>()
    expectTypeOf(new SoftmaxFocalLoss().value(x, [0])).toEqualTypeOf<number>()
    expectTypeOf(sigmoidFocalLoss(x, [0, 1])).toEqualTypeOf<DeviceArray<'float32'>>()
    expectTypeOf(pin(single).array).toEqualTypeOf<Float32Array<ArrayBuffer>>()
    loss.accumulator().add(x, x, { grad: theirs as unknown as DevicePointer<'float32'>, weights: x, mask: x })
    // @ts-expect-error integers are no logits
    loss.value(DeviceArray.alloc('int32', 2), [0, 1])
    // @ts-expect-error results lie where the logits do
    loss.valueAndGrad(x, [0, 1], { grad: single })
    // @ts-expect-error and for logits of the host on the host
    loss.valueAndGrad(single, [0, 1], { grad: x })
    // @ts-expect-error of another type
    loss.valueAndGrad(x, [0, 1], { grad: theirs })
    // @ts-expect-error computed on the host
    loss.toProbability(x)
    // @ts-expect-error elements of another type
    x.set(double)
  }
  expectTypeOf(made).toBeFunction()
})

test('accumulators take chunks of any kind and write where the caller says', () => {
  const accumulator = new SoftmaxFocalLoss().accumulator().add(single, [0]).add(double, [0], { grad: double })
  expectTypeOf(accumulator.value).toEqualTypeOf<number>()
  expectTypeOf(accumulator.sums).toEqualTypeOf<Sums>()
})

test('explain takes lists to compare, and losses say what they have', () => {
  const explanation = new SigmoidFocalLoss().explain(single, [0, 1], { gammas: [0, 2], alphas: [null, 0.25], shape: [2, 1] })
  expectTypeOf(explanation).toEqualTypeOf<Explanation>()
  expectTypeOf(explanation.losses[0].gamma).toEqualTypeOf<number | undefined>()
  expectTypeOf(new SoftmaxFocalLoss().explainer({ bins: 5 }).add(single, [0]).result()).toEqualTypeOf<Explanation>()
})

test('wrong options and arrays are errors already here', () => [
  // @ts-expect-error no such option
  () => new SigmoidFocalLoss({ gama: 2 }),
  // @ts-expect-error not an option of softmax
  () => new SoftmaxFocalLoss({ softTargets: 'linear' }),
  // @ts-expect-error grad is of another kind than the logits
  () => new SigmoidFocalLoss().valueAndGrad(single, [0, 1], { grad: double }),
  // @ts-expect-error not an option of quality focal
  () => new QualityFocalLoss({ alpha: 0.25 }),
  // @ts-expect-error every position is between two bins
  () => new DistributionFocalLoss({ background: -1 }),
  // @ts-expect-error each side has its own
  () => new AsymmetricLoss({ gamma: 2 }),
  // @ts-expect-error the bound goes with the second derivative
  () => new VarifocalLoss().valueAndGrad(single, [0, 1], { clampHess: 0 }),
  // @ts-expect-error nobody could abort it
  () => new VarifocalLoss().valueAndGrad(single, [0, 1], { signal: AbortSignal.abort() }),
  // @ts-expect-error chunks allocate nothing
  () => new VarifocalLoss().accumulator().add(single, [0, 1], { grad: true }),
  // @ts-expect-error plain arrays are no logits
  () => new SigmoidFocalLoss().value([1, 2], [0, 1]),
])
