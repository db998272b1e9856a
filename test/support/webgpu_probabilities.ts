/** What the backend webgpu makes of losses of probabilities, beside the definitions in double precision: for Node.js with Dawn, Deno and pages alike. */
import { type BackendName, type CallOptions, DistributionFocalLoss, type FocalLossBase, SigmoidFocalLoss, SoftmaxFocalLoss, type Targets } from 'focal-loss'
import { fromBits } from '../../src/arrays/half.js'
import { rangeOf } from '../../src/formulas/number_range.js'
import { largestError } from './closeness.js'
import { goldenCases, nameOf } from './golden.js'
import { type AnyOptions, type ElementwiseName, elementwiseNames, elementwiseOf, lossOf, powersOf } from './losses.js'
import { ofRows, spread, variants } from './probabilities.js'
import { seeded } from './random.js'
import { allowedOnWebgpu, type Errors } from './webgpu_errors.js'

const inputs = 'probabilities'
const { largest } = rangeOf(0)

type LossOn = (backend: BackendName) => FocalLossBase<'none'>
type Call = Omit<CallOptions, 'dtype'> & { readonly gradScale?: number; readonly clampHess?: number }

/** Errors of what the backend gives for float32 probabilities. The terms of soft labels may cancel; what they are made of is as large as `value` over p. */
async function errorsOf(title: string, of: LossOn, p: Float32Array, targets: Targets, call: Call, isSoft: (k: number) => boolean, limit: number): Promise<Errors> {
  // Of the same numbers, computed in double precision; what is nearest to 0 and 1 depends on the type
  const exact = of('js').valueGradAndHess(p, targets, call)
  const actual = await of('webgpu').valueGradAndHessAsync(p, targets, call)
  const values = exact.value
  const sizes = (numbers: Float32Array, power: number) =>
    Array.from(numbers, (each, k) => Math.min(largest, Math.abs(each) + (isSoft(k) ? (values[Math.floor((k * values.length) / p.length)] + 1) / Math.min(p[k], 1 - p[k]) ** power : 0)))
  return { title, value: largestError(actual.value, values), grad: largestError(actual.grad, exact.grad, sizes(exact.grad, 1)), hess: largestError(actual.hess, exact.hess, sizes(exact.hess, 2)), limit }
}

/** The logits of the golden cases as probabilities, and all options that change a formula in both tails and between. */
export async function probabilityErrors(): Promise<Errors[]> {
  const all: Errors[] = []
  for (const [index, one] of goldenCases.entries()) {
    const { loss, options, shape, logits, targets } = one
    const p = loss === 'SoftmaxFocalLoss' ? softmaxOf(logits, shape[1]) : logits.map((x) => 1 / (1 + Math.exp(-x)))
    const of: LossOn = (backend) => lossOf(loss, { ...options, inputs, reduction: 'none', backend })
    const smoothing = options.labelSmoothing ?? 0
    const isSoft = (k: number) => smoothing > 0 || (targets.length === logits.length && targets[k] !== 0 && targets[k] !== 1)
    all.push(await errorsOf(nameOf(one, index), of, Float32Array.from(p, (each) => (each < ORDINARY ? 0 : each)), targets, { shape }, isSoft, allowedOnWebgpu('float32', 'grad', ...powersOf(loss, options))))
  }
  const p = Float32Array.from(spread('float32')).filter((each) => each >= ORDINARY)
  const y = Float32Array.from(p, (_, k) => [0, 1, 0.25, (k * 0.37) % 1][k % 4])
  for (const [name, options] of variants) {
    all.push(await errorsOf(`${name} ${JSON.stringify(options)}`, elementwise(name, options), p, y, {}, (k) => y[k] > 0 && y[k] < 1, allowedOnWebgpu('float32', 'grad', ...powersOf(name, options))))
  }
  return all
}

function elementwise(name: ElementwiseName, options: AnyOptions): LossOn {
  return (backend) => elementwiseOf(name, { ...options, inputs, reduction: 'none', backend })
}

/** Of smaller ones results may be no normal numbers. */
const ORDINARY = 1e-9

function softmaxOf(logits: readonly number[], classes: number): number[] {
  const exponentials = logits.map((x, k) => Math.exp(x - Math.max(...logits.slice(k - (k % classes), k - (k % classes) + classes))))
  return exponentials.map((e, k) => e / exponentials.slice(k - (k % classes), k - (k % classes) + classes).reduce((a, b) => a + b))
}

/** The two ends, and NaN, with labels on both sides and between; and where rows have no sum, one class, or all. */
export async function probabilityEndErrors(): Promise<Errors[]> {
  const all: Errors[] = []
  const p = Float32Array.of(0, 1, 0, 1, 0, 1, -0, 1, NaN, NaN, 1 + 2 ** -23, -1e-7)
  const y = Float32Array.of(0, 1, 1, 0, 0.3, 0.3, 0, 0.999, 0, 0.5, 1, 0)
  for (const [name, options] of variants) {
    // In float32, whose nearest probabilities to 0 and 1 those of double precision are not
    const of = elementwise(name, options)
    const [exact, actual] = [of('js').valueGradAndHess(p, y), await of('webgpu').valueGradAndHessAsync(p, y)]
    const error = (output: 'value' | 'grad' | 'hess') => largestError(actual[output], exact[output])
    all.push({ title: `${name} ${JSON.stringify(options)}`, value: error('value'), grad: error('grad'), hess: error('hess'), limit: allowedOnWebgpu('float32', 'grad', ...powersOf(name, options)) })
  }
  const rows = Float32Array.of(1, 0, 0, 0, 1, 0, 0, 0, 1, 0.5, 0.5, 0, 0.25, NaN, 0.5, 1, 0, 0)
  for (const renormalize of [false, true]) {
    for (const gamma of [0, 0.5, 1.7, 5]) {
      for (const target of [0, 1, 2]) {
        const of: LossOn = (backend) => new SoftmaxFocalLoss({ gamma, renormalize, inputs, reduction: 'none', backend })
        const call = { shape: [rows.length / 3, 3] }
        const [exact, actual] = [of('js').valueGradAndHess(rows, new Int32Array(6).fill(target), call), await of('webgpu').valueGradAndHessAsync(rows, new Int32Array(6).fill(target), call)]
        const error = (output: 'value' | 'grad' | 'hess') => largestError(actual[output], exact[output])
        all.push({ title: `softmax, gamma ${gamma}, ${target}${renormalize ? ', renormalized' : ''}`, value: error('value'), grad: error('grad'), hess: error('hess'), limit: allowedOnWebgpu('float32', 'grad', gamma) })
      }
    }
  }
  return all
}

const layoutOptions = { inputs, reduction: 'none', ignoreIndex: -1, background: 3 } as const
const perClass = { classWeights: [1, 2, 0.5], gamma: [0.5, 2, 3.7] } as const

/** Losses with options beside those of the variants. */
const others: readonly (readonly [string, LossOn])[] = [
  ...elementwiseNames.map((name) => [name, (backend: BackendName) => elementwiseOf(name, { classWeights: [1, 2, 0.5], ...layoutOptions, backend })] as const),
  ['sigmoid, gamma per class', (backend) => new SigmoidFocalLoss({ ...perClass, ...layoutOptions, backend })],
  ['sigmoid, gamma per class, cross entropy smoothed', (backend) => new SigmoidFocalLoss({ ...perClass, labelSmoothing: 0.2, labelSmoothingOf: 'cross-entropy', ...layoutOptions, backend })],
  ['sigmoid, smoothed', (backend) => new SigmoidFocalLoss({ labelSmoothing: 0.1, ...layoutOptions, backend })],
  ['softmax', (backend) => new SoftmaxFocalLoss({ ...layoutOptions, backend })],
  ['softmax, gamma per class', (backend) => new SoftmaxFocalLoss({ ...perClass, ...layoutOptions, backend })],
  ['softmax, smoothed', (backend) => new SoftmaxFocalLoss({ labelSmoothing: 0.1, ...layoutOptions, backend })],
  ['softmax, renormalized', (backend) => new SoftmaxFocalLoss({ renormalize: true, ...layoutOptions, backend })],
  ['softmax, renormalized, gamma per class, smoothed', (backend) => new SoftmaxFocalLoss({ ...perClass, renormalize: true, labelSmoothing: 0.1, ...layoutOptions, backend })],
]

/** In layouts with weights, masks and ignored rows. */
export async function probabilityLayoutErrors(): Promise<Errors[]> {
  const all: Errors[] = []
  const random = seeded(31)
  const [shape, rows, inner] = [[9, 3, 7], 63, 7]
  const drawn = Array.from({ length: 3 * rows }, () => random.between(0.01, 0.99))
  const indices = Int32Array.from({ length: rows }, () => random.integer(5) - 1)
  const labels = Float32Array.from(drawn, () => random.pick([0, 1, random()]))
  const weights = Float32Array.from(indices, () => random())
  const mask = Uint8Array.from(indices, () => random.pick([0, 1, 1]))
  for (const [title, of] of others) {
    const isDivided = title.startsWith('softmax') && !title.includes('renormalized')
    const p = Float32Array.from(isDivided ? ofRows(drawn, inner) : drawn)
    for (const targetKind of ['class-index', 'labels'] as const) {
      const call = { shape, classAxis: 1, targetKind, weights, mask, gradScale: 8, clampHess: -0.5 }
      all.push(await errorsOf(`${title}, ${targetKind}`, of, p, targetKind === 'labels' ? labels : indices, call, () => targetKind === 'labels' || title.includes('smoothed') || title.includes('renormalized'), 1e-5))
    }
  }
  const positions = Float32Array.from({ length: rows }, () => random.between(0, 2))
  const bins: LossOn = (backend) => new DistributionFocalLoss({ inputs, reduction: 'none', backend })
  all.push(await errorsOf('positions', bins, Float32Array.from(ofRows(drawn, 1)), positions, { shape: [rows, 3] }, () => true, 1e-5))
  return all
}

/** Of probabilities in half precision, in units of the last place of value and derivatives. */
export async function halfProbabilityErrors(): Promise<{ readonly title: string; readonly error: number }[]> {
  const all: { title: string; error: number }[] = []
  for (const [dtype, one, step] of [['float16', 0x3c00, 2 ** -10], ['bfloat16', 0x3f80, 2 ** -7]] as const) {
    // All from 0 to 1 in steps, but for subnormal float32 numbers, and what rounding leaves above
    const p = Uint16Array.from([...Array.from({ length: 400 }, (_, k) => Math.round((k * one) / 399)), one + 1]).filter((bits) => bits === 0 || dtype === 'float16' || bits >= 0x80)
    const y = Float32Array.from(p, (_, k) => [0, 1, 0.25][k % 3])
    for (const name of elementwiseNames) {
      const [exact, actual] = [elementwise(name, {})('js').valueGradAndHess(p, y, { dtype }), await elementwise(name, {})('webgpu').valueGradAndHessAsync(p, y, { dtype })]
      for (const output of ['value', 'grad', 'hess'] as const) {
        const [found, wanted] = [fromBits(actual[output], dtype), fromBits(exact[output], dtype)]
        all.push({ title: `${name} ${dtype} ${output}`, error: largestError(found, wanted, wanted.map((each) => Math.max(Math.abs(each), 1e-4))) / step })
      }
    }
  }
  return all
}
