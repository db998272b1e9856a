/** Every kind of bad input, and the error it gives. One table; test/bad_input.test.ts runs it on every backend. */
import {
  type BackendName,
  FocalStarLoss,
  HeatmapFocalLoss,
  init,
  presets,
  QualityFocalLoss,
  setBackend,
  sigmoidFocalLoss,
  SigmoidFocalLoss,
  softmaxFocalLoss,
  SoftmaxFocalLoss,
} from 'focal-loss'
import { detached, outOfBounds } from './buffers.js'
import { type LossName, lossOf } from './losses.js'

/** What the message of a weight of positives says to those who leave that of negatives out. */
const ofPositive = ", as negative is left out and 1 - positive then (PyTorch's pos_weight w is weightedCrossEntropy(w, 1))"

/** What it is, what does it, and the message. */
export type BadInput = readonly [title: string, run: (backend: BackendName) => unknown, type: 'TypeError' | 'RangeError', message: string]

/** Arguments as an untyped caller may pass them. */
type Untyped = (...args: readonly unknown[]) => unknown

const untyped = (of: unknown): Untyped => of as Untyped

const invoke = (loss: object, method: string, ...args: unknown[]) => (loss as Record<string, Untyped>)[method](...args)

const sigmoid = (options: unknown) => () => new SigmoidFocalLoss(options as object)
const softmax = (options: unknown) => () => new SoftmaxFocalLoss(options as object)
const make = (name: LossName, options: unknown) => () => lossOf(name, options as object)
const weighted = untyped(presets.weightedCrossEntropy)

/** The caller's buffers: no error may touch them. */
export const x = Float32Array.of(1, -2, 3, 0.5, -0.25, NaN)
export const memory = new Float32Array(12).fill(7)
export const outputs = { out: new Float32Array(6).fill(7), grad: new Float32Array(6).fill(7), hess: new Float32Array(6).fill(7) }
const six = [1, 0, 1, 0, 1, 0]
const float = 'a Float32Array or a Float64Array'
const numeric = 'a numeric typed array (BigInt arrays excepted) or an array of numbers'
const numericOrBig = 'a numeric typed array or an array of numbers'
const gone = 'has lost its memory, as its buffer is detached (transferred to another thread, perhaps); expected an array that has it'
const orIndices = "labels, one per logit, or class indices, one per row, in an integer typed array (with targetKind: 'class-index', in an array of any type)"
const oneClass = 'a softmax has 1 class; expected 2 or more, as over one class its loss is always 0 (SigmoidFocalLoss is the loss of one class)'
const unlabelled = '(set background or ignoreIndex to allow others)'

const ofTensors = '(focal-loss/tfjs takes tensors of TensorFlow.js)'
class Tensor {
  readonly dataId = {}
  readonly shape = [2]
  readonly dtype = 'float32'
}

type Call = (backend: BackendName) => unknown

const call = (logits: unknown, targets: unknown, options?: unknown, ofLoss: object = {}): Call => (backend) =>
  invoke(new SigmoidFocalLoss({ backend, ...ofLoss }), 'valueGradAndHess', logits, targets, options)
const callNone = (logits: unknown, targets: unknown, options?: object, ofLoss: object = {}): Call =>
  call(logits, targets, options, { reduction: 'none', ...ofLoss })
const callSoftmax = (logits: unknown, targets: unknown, options?: object, ofLoss: object = {}): Call => (backend) =>
  invoke(new SoftmaxFocalLoss({ backend, ...ofLoss }), 'valueAndGrad', logits, targets, options)
const method = (name: string, options: object): Call => (backend) => invoke(new SigmoidFocalLoss({ backend }), name, x, six, options)

const ofOptions: readonly BadInput[] = [
  ['a negative gamma', sigmoid({ gamma: -1 }), 'RangeError', 'gamma is -1; expected a finite number >= 0'],
  ['gamma NaN', sigmoid({ gamma: NaN }), 'RangeError', 'gamma is NaN; expected a finite number >= 0'],
  ['gamma Infinity', sigmoid({ gamma: Infinity }), 'RangeError', 'gamma is Infinity; expected a finite number >= 0'],
  ['gamma as text', sigmoid({ gamma: '2' }), 'TypeError', "gamma is '2'; expected a finite number >= 0"],
  ['gamma null', softmax({ gamma: null }), 'TypeError', 'gamma is null; expected a finite number >= 0'],
  ['gamma as a BigInt', softmax({ gamma: 2n }), 'TypeError', 'gamma is 2n; expected a finite number >= 0'],
  ['alpha above 1', sigmoid({ alpha: 1.5 }), 'RangeError', 'alpha is 1.5; expected a number from 0 to 1'],
  ['a negative alpha', sigmoid({ alpha: [0.5, -1] }), 'RangeError', 'alpha[1] is -1; expected a number from 0 to 1'],
  ['a softmax alpha below 0', softmax({ alpha: -0.5 }), 'RangeError', 'alpha is -0.5; expected a finite number >= 0'],
  ['alpha with text', sigmoid({ alpha: [0.5, '1'] }), 'TypeError', "alpha[1] is '1'; expected a number from 0 to 1"],
  ['no alpha in an array', sigmoid({ alpha: [] }), 'RangeError', 'alpha is an empty array; expected one number per class'],
  ['an object for alpha', sigmoid({ alpha: {} }), 'TypeError', 'alpha is an object; expected a number, an array of numbers (one per class) or null'],
  ['alpha and class weights for other classes', sigmoid({ alpha: [0.1, 0.2], classWeights: [1] }), 'RangeError', 'classWeights has 1 entry; expected one per class, and alpha has 2'],
  ['a negative class weight', sigmoid({ classWeights: -1 }), 'RangeError', 'classWeights is -1; expected a finite number >= 0'],
  ['an infinite class weight', softmax({ classWeights: [1, Infinity] }), 'RangeError', 'classWeights[1] is Infinity; expected a finite number >= 0'],
  ['smoothing above 1', sigmoid({ labelSmoothing: 2 }), 'RangeError', 'labelSmoothing is 2; expected a number from 0 to 1'],
  ['smoothing NaN', softmax({ labelSmoothing: NaN }), 'RangeError', 'labelSmoothing is NaN; expected a number from 0 to 1'],
  ['soft targets of no kind', sigmoid({ softTargets: 'mix' }), 'RangeError', "softTargets is 'mix'; expected one of 'linear', 'mixture'"],
  ['a reduction of no kind', sigmoid({ reduction: 'average' }), 'RangeError', "reduction is 'average'; expected one of 'none', 'sum', 'mean', 'mean-rows', 'mean-positives'"],
  ['reduction null', softmax({ reduction: null }), 'TypeError', "reduction is null; expected one of 'none', 'sum', 'mean', 'mean-rows', 'mean-positives'"],
  ['a fractional background', sigmoid({ background: 1.5 }), 'RangeError', "background is 1.5; expected an integer or 'num-classes'"],
  ['a background of another name', sigmoid({ background: 'classes' }), 'TypeError', "background is 'classes'; expected an integer or 'num-classes'"],
  ['ignoreIndex as text', sigmoid({ ignoreIndex: '0' }), 'TypeError', "ignoreIndex is '0'; expected an integer or NaN"],
  ['a fractional ignoreIndex', sigmoid({ ignoreIndex: 0.5 }), 'RangeError', 'ignoreIndex is 0.5; expected an integer or NaN'],
  ['a backend of no name', sigmoid({ backend: 'gpu' }), 'RangeError', "backend is 'gpu'; expected one of 'auto', 'cuda', 'webgpu', 'native', 'wasm', 'js'"],
  ['a misspelt option', sigmoid({ gama: 2 }), 'TypeError', "'gama' is not an option of SigmoidFocalLoss; did you mean 'gamma'?"],
  ['an option like no other', sigmoid({ temperature: 1 }), 'TypeError', "'temperature' is not an option of SigmoidFocalLoss; expected one of gamma, alpha, labelSmoothing, posWeight, softTargets, labelSmoothingOf, inputs, classWeights, background, ignoreIndex, reduction, backend"],
  ['an option of another library', sigmoid({ label_smoothing: 0.1 }), 'TypeError', "'label_smoothing' is not an option of SigmoidFocalLoss; did you mean 'labelSmoothing'?"],
  ['an option of Keras', sigmoid({ fromLogits: true }), 'TypeError', "'fromLogits' is not an option of SigmoidFocalLoss; did you mean 'inputs'?"],
  ['an option of Keras in Python', softmax({ from_logits: true }), 'TypeError', "'from_logits' is not an option of SoftmaxFocalLoss; did you mean 'inputs'?"],
  ['mmdetection’s avg_factor', method('value', { avg_factor: 2 }), 'TypeError', "'avg_factor' is not an option of value(); did you mean 'normalizer'?"],
  ['an option of the other loss', softmax({ softTargets: 'linear' }), 'TypeError', "'softTargets' is not an option of SoftmaxFocalLoss; expected one of gamma, alpha, labelSmoothing, renormalize, inputs, classWeights, background, ignoreIndex, reduction, backend"],
  ['null for options', sigmoid(null), 'TypeError', 'options is null; expected an object with options'],
  ['a number for options', sigmoid(2), 'TypeError', 'options is 2; expected an object with options'],
  ['an array for options', softmax([2]), 'TypeError', 'options is an array of length 1; expected an object with options'],
]

const common = 'inputs, classWeights, background, ignoreIndex, reduction, backend'

const ofFamily: readonly BadInput[] = [
  ['a star gamma of 0', make('FocalStarLoss', { gamma: 0 }), 'RangeError', 'gamma is 0; expected a finite number > 0'],
  ['a negative star gamma', make('FocalStarLoss', { gamma: -1 }), 'RangeError', 'gamma is -1; expected a finite number > 0'],
  ['a star gamma whose loss is no float32', make('FocalStarLoss', { gamma: 7.7e-122 }), 'RangeError', 'gamma is 7.7e-122; expected a finite number >= 1e-20'],
  ['a star gamma as text', make('FocalStarLoss', { gamma: '2' }), 'TypeError', "gamma is '2'; expected a finite number > 0"],
  ['a star gamma of NaN', make('FocalStarLoss', { gamma: NaN }), 'RangeError', 'gamma is NaN; expected a finite number > 0'],
  ['a negative star beta', make('FocalStarLoss', { beta: -0.5 }), 'RangeError', 'beta is -0.5; expected a finite number >= 0'],
  ['a star alpha above 1', make('FocalStarLoss', { alpha: 2 }), 'RangeError', 'alpha is 2; expected a number from 0 to 1'],
  ['a star smoothing above 1', make('FocalStarLoss', { labelSmoothing: 1.1 }), 'RangeError', 'labelSmoothing is 1.1; expected a number from 0 to 1'],
  ['an option that star has not', make('FocalStarLoss', { softTargets: 'linear' }), 'TypeError', `'softTargets' is not an option of FocalStarLoss; expected one of gamma, beta, alpha, labelSmoothing, ${common}`],
  ['a negative quality beta', make('QualityFocalLoss', { beta: -1 }), 'RangeError', 'beta is -1; expected a finite number >= 0'],
  ['an infinite quality beta', make('QualityFocalLoss', { beta: Infinity }), 'RangeError', 'beta is Infinity; expected a finite number >= 0'],
  ['alpha for quality', make('QualityFocalLoss', { alpha: 0.25 }), 'TypeError', `'alpha' is not an option of QualityFocalLoss; expected one of beta, constantModulator, ${common}`],
  ['a misspelt beta', make('QualityFocalLoss', { bta: 2 }), 'TypeError', "'bta' is not an option of QualityFocalLoss; did you mean 'beta'?"],
  ['a negative varifocal alpha', make('VarifocalLoss', { alpha: -0.1 }), 'RangeError', 'alpha is -0.1; expected a finite number >= 0'],
  ['a varifocal alpha of text', make('VarifocalLoss', { alpha: ['1'] }), 'TypeError', "alpha[0] is '1'; expected a finite number >= 0"],
  ['a negative varifocal gamma', make('VarifocalLoss', { gamma: -2 }), 'RangeError', 'gamma is -2; expected a finite number >= 0'],
  ['smoothing for varifocal', make('VarifocalLoss', { labelSmoothing: 0.1 }), 'TypeError', `'labelSmoothing' is not an option of VarifocalLoss; expected one of gamma, alpha, constantModulator, ${common}`],
  ['a heatmap beta null', make('HeatmapFocalLoss', { beta: null }), 'TypeError', 'beta is null; expected a finite number >= 0'],
  ['a heatmap gamma of NaN', make('HeatmapFocalLoss', { gamma: NaN }), 'RangeError', 'gamma is NaN; expected a finite number >= 0'],
  ['the paper’s alpha for heatmap', make('HeatmapFocalLoss', { alpha: 2 }), 'TypeError', `'alpha' is not an option of HeatmapFocalLoss; expected one of gamma, beta, positiveFrom, ${common}`],
  ['a negative gammaPositive', make('AsymmetricLoss', { gammaPositive: -1 }), 'RangeError', 'gammaPositive is -1; expected a finite number >= 0'],
  ['a gammaNegative as text', make('AsymmetricLoss', { gammaNegative: '4' }), 'TypeError', "gammaNegative is '4'; expected a finite number >= 0"],
  ['a negative margin', make('AsymmetricLoss', { margin: -0.05 }), 'RangeError', 'margin is -0.05; expected a number from 0 to 0.99'],
  ['a margin of 1', make('AsymmetricLoss', { margin: 1 }), 'RangeError', 'margin is 1; expected a number from 0 to 0.99'],
  ['a margin NaN', make('AsymmetricLoss', { margin: NaN }), 'RangeError', 'margin is NaN; expected a number from 0 to 0.99'],
  ['a constant modulator of 1', make('AsymmetricLoss', { constantModulator: 1 }), 'TypeError', 'constantModulator is 1; expected true or false'],
  ['a constant modulator of text', make('VarifocalLoss', { constantModulator: 'yes' }), 'TypeError', "constantModulator is 'yes'; expected true or false"],
  ['a constant modulator null', make('QualityFocalLoss', { constantModulator: null }), 'TypeError', 'constantModulator is null; expected true or false'],
  ['gamma for both sides of an asymmetric loss', make('AsymmetricLoss', { gamma: 2 }), 'TypeError', "'gamma' is not an option of AsymmetricLoss; did you mean 'gammaPositive'?"],
  ['the authors’ gamma_neg', make('AsymmetricLoss', { gamma_neg: 4 }), 'TypeError', "'gamma_neg' is not an option of AsymmetricLoss; did you mean 'gammaNegative'?"],
  ['the authors’ clip', make('AsymmetricLoss', { clip: 0.05 }), 'TypeError', "'clip' is not an option of AsymmetricLoss; did you mean 'margin'?"],
  ['a scale of 0', call(x, six, { gradScale: 0 }), 'RangeError', 'gradScale is 0; expected a finite number > 0'],
  ['a negative scale', call(x, six, { gradScale: -1 }), 'RangeError', 'gradScale is -1; expected a finite number > 0'],
  ['a scale without end', call(x, six, { gradScale: Infinity }), 'RangeError', 'gradScale is Infinity; expected a finite number > 0'],
  ['a scale as text', call(x, six, { gradScale: '2' }), 'TypeError', "gradScale is '2'; expected a finite number > 0"],
  ['a scale where nothing is scaled', method('value', { gradScale: 2 }), 'TypeError', "'gradScale' is not an option of value(); expected one of dtype, shape, classAxis, targetKind, weights, mask, normalizer, out"],
  ['a bound as text', call(x, six, { clampHess: '0' }), 'TypeError', "clampHess is '0'; expected a finite number"],
  ['a bound of NaN', call(x, six, { clampHess: NaN }), 'RangeError', 'clampHess is NaN; expected a finite number'],
  ['an infinite bound', call(x, six, { clampHess: -Infinity }), 'RangeError', 'clampHess is -Infinity; expected a finite number'],
  ['a bound null', callNone(x, six, { clampHess: null, ...outputs }), 'TypeError', 'clampHess is null; expected a finite number'],
  ['a curvature that there is not', callNone(x, six, { curvature: 'fisher', ...outputs }), 'RangeError', "curvature is 'fisher'; expected one of 'exact', 'expected'"],
  ['a posterior where a class costs nothing', callNone(x, six, { curvature: 'expected', ...outputs }, { alpha: 1 }), 'RangeError', "curvature is 'expected'; expected 'exact', as alpha, classWeights or posWeight gives a class the weight 0, which leaves no posterior"],
  ['a longest step of 0', call(x, six, { maxStep: 0 }), 'RangeError', 'maxStep is 0; expected a finite number > 0'],
  ['a longest step as text', callNone(x, six, { maxStep: '1', ...outputs }), 'TypeError', "maxStep is '1'; expected a finite number > 0"],
  ['a bound without a hessian', method('valueAndGrad', { clampHess: 0 }), 'TypeError', "'clampHess' is not an option of valueAndGrad(); expected one of dtype, shape, classAxis, targetKind, weights, mask, normalizer, out, grad, gradScale"],
]

const ofArrays: readonly BadInput[] = [
  ['plain logits', call([1, 2], [1, 0]), 'TypeError', `logits is an array of length 2; expected ${float} (Float32Array.from(logits) makes one)`],
  ['no logits', call(undefined, [1]), 'TypeError', `logits is undefined; expected ${float}`],
  ['integer logits', call(new Int32Array(2), [1, 0]), 'TypeError', `logits is an Int32Array of length 2; expected ${float}`],
  ['logits of 16 bits', call(new Uint16Array(2), [1, 0]), 'TypeError', `logits is a Uint16Array of length 2; expected ${float} (dtype: 'float16' or 'bfloat16' says what its bits hold)`],
  ['a dtype of other logits', call(x, six, { dtype: 'float16' }), 'TypeError', "logits is a Float32Array of length 6; expected a Uint16Array, as dtype is 'float16'"],
  ['a dtype of no name', call(new Uint16Array(2), [1, 0], { dtype: 'half' }), 'RangeError', "dtype is 'half'; expected one of 'float16', 'bfloat16'"],
  ['a dtype that is a number', call(new Uint16Array(2), [1, 0], { dtype: 16 }), 'TypeError', "dtype is 16; expected one of 'float16', 'bfloat16'"],
  ['logits as a buffer', call(new ArrayBuffer(8), [1, 0]), 'TypeError', `logits is an ArrayBuffer; expected ${float}`],
  ['logits as a set', call(new Set([1, 2]), [1, 0]), 'TypeError', `logits is a Set; expected ${float}`],
  ['logits whose constructor is a getter that throws', call(Object.create({ get constructor() { throw new Error('called') } }), [1, 0]), 'TypeError', `logits is an object; expected ${float}`],
  ['logits without a prototype', call(Object.create(null), [1, 0]), 'TypeError', `logits is an object; expected ${float}`],
  ['logits as a tensor of TensorFlow.js', call(new Tensor(), [1, 0]), 'TypeError', `logits is a Tensor; expected ${float} ${ofTensors}`],
  ['targets as a tensor', call(x, new Tensor()), 'TypeError', `targets is a Tensor; expected ${numericOrBig} ${ofTensors}`],
  ['a mask as a tensor', call(x, six, { mask: new Tensor() }), 'TypeError', `mask is a Tensor; expected ${numeric} ${ofTensors}`],
  ['nested logits', call([[2, 0, -1], [0, 1, 2]], [0, 1]), 'TypeError', `logits is an array of length 2; expected ${float} (Float32Array.from(logits.flat()) makes one)`],
  ['logits nested twice', call([[[2, 0]], [[0, 1]]], [0, 1]), 'TypeError', `logits is an array of length 2; expected ${float} (Float32Array.from(logits.flat(Infinity)) makes one)`],
  ['rows of logits', call([Float32Array.of(1, 2)], [0]), 'TypeError', `logits is an array of length 1; expected ${float} (Float32Array.from(logits.flatMap((row) => [...row])) makes one)`],
  ['logits as a DataView', call(new DataView(new ArrayBuffer(8)), [1, 0]), 'TypeError', `logits is a DataView; expected ${float}`],
  ['detached logits', call(detached(), six), 'TypeError', `logits ${gone}`],
  ['logits out of bounds', call(outOfBounds(), six), 'TypeError', 'logits has lost its memory, as its resizable buffer has shrunk below the view; expected an array that has it'],
  ['detached targets', call(x, detached()), 'TypeError', `targets ${gone}`],
  ['no targets', call(x, undefined), 'TypeError', `targets is undefined; expected ${numericOrBig}`],
  ['targets as text', call(x, '101010'), 'TypeError', `targets is '101010'; expected ${numericOrBig}`],
  ['targets of more than 32 bits', call(x, BigInt64Array.of(0n, 2n ** 40n)), 'RangeError', 'targets[1] is 1099511627776n; expected an integer of 32 bits'],
  ['weights of 64 bits', call(x, [1, 0, 1, 0, 1, 0], { weights: new BigInt64Array(6) }), 'TypeError', `weights is a BigInt64Array of length 6; expected ${numeric}`],
  ['nested targets', call(x, [[1], [0]]), 'TypeError', 'targets[0] is an array of length 1; expected a number (targets.flat() is flat)'],
  ['targets with holes', call(x, new Array(6)), 'TypeError', 'targets[0] is undefined; expected a number'],
  ['too few targets', call(x, [1, 0, 1, 0]), 'RangeError', 'targets has length 4; expected 6, as many as logits, or one class index per row'],
  ['too many targets', call(x, new Uint8Array(7)), 'RangeError', 'targets has length 7; expected 6, as many as logits, or one class index per row'],
  ['no target', call(x, []), 'RangeError', 'targets has length 0; expected 6, as many as logits, or one class index per row'],
  ['float indices', call(x, new Float32Array(2)), 'TypeError', `targets is a Float32Array of length 2; expected 6 ${orIndices}`],
  ['too few labels in a plain array', call(x, [1, 0]), 'TypeError', `targets is an array of length 2; expected 6 ${orIndices}`],
  ['too few labels for a softmax', callSoftmax(x, [1, 0]), 'TypeError', `targets is an array of length 2; expected 6 ${orIndices}`],
  ['booleans for class indices', call(x, [true, false], { shape: [2, 3] }), 'TypeError', 'targets[0] is true; expected an integer, the index of a class'],
  ['float indices that are stated and none', call(x, Float32Array.of(1, 0.5), { targetKind: 'class-index' }), 'RangeError', 'targets[1] is 0.5; expected an integer, the index of a class'],
  ['a kind of targets of no name', call(x, six, { targetKind: 'index' }), 'RangeError', "targetKind is 'index'; expected one of 'labels', 'class-index'"],
  ['a kind of targets that is no text', call(x, six, { targetKind: null }), 'TypeError', "targetKind is null; expected one of 'labels', 'class-index'"],
  ['labels that are too few', call(x, Int32Array.of(1, 0), { targetKind: 'labels' }), 'RangeError', "targets has length 2; expected 6 (one per logit), as targetKind is 'labels'"],
  ['labels that are too few for a shape', call(x, [1, 0], { targetKind: 'labels', shape: [2, 3] }), 'RangeError', "targets has length 2; expected 6 (one per logit), as targetKind is 'labels'"],
  ['class indices that are too many for a shape', call(x, six, { targetKind: 'class-index', shape: [2, 3] }), 'RangeError', "targets has length 6; expected 2 (one class index per row), as targetKind is 'class-index'"],
  ['labels where one class has a background', callNone(x, new Uint8Array(six), outputs, { background: -1 }), 'RangeError', "targets[0] is 1; expected a class in 0..0, background -1 (classes count from 0; targetKind: 'labels' takes targets as labels)"],
  ['a softmax over one class', callSoftmax(x, new Int32Array(6), { shape: [6, 1] }), 'RangeError', oneClass],
  ['a softmax over one class of labels', callSoftmax(x, six, { shape: [1, 6], classAxis: 0 }), 'RangeError', oneClass],
  ['posteriors of a softmax over one class', (backend) => invoke(new SoftmaxFocalLoss({ backend }), 'toProbability', x, { shape: [6, 1] }), 'RangeError', oneClass],
  ['a fractional index', call(x, [1, 0.5], { shape: [2, 3] }), 'RangeError', 'targets[1] is 0.5; expected an integer, the index of a class'],
  ['an index too large', callNone(x, Int32Array.of(0, 3), outputs), 'RangeError', `targets[1] is 3; expected a class in 0..2 (classes count from 0; ${unlabelled.slice(1)}`],
  ['a negative index', callSoftmax(x, Int8Array.of(0, -1), { grad: x }), 'RangeError', `targets[1] is -1; expected a class in 0..2 ${unlabelled}`],
  ['an index that is not the background either', callNone(x, Int32Array.of(0, 4), outputs, { background: 'num-classes', ignoreIndex: -1 }), 'RangeError', 'targets[1] is 4; expected a class in 0..2, background 3 or ignoreIndex -1'],
  ['a label too large', callNone(x, [1, 0, 1, 1.5, 0, 0], outputs), 'RangeError', 'targets[3] is 1.5; expected a number from 0 to 1'],
  ['a negative label', call(x, Int16Array.of(1, 0, 1, 0, 0, -1), { grad: x }), 'RangeError', 'targets[5] is -1; expected a number from 0 to 1'],
  ['an infinite label', callNone(x, Float64Array.of(1, 0, 1, Infinity, 0, 0), outputs, { ignoreIndex: 255 }), 'RangeError', 'targets[3] is Infinity; expected a number from 0 to 1 or ignoreIndex 255'],
  ['a label of a softmax', callSoftmax(x, [1, 0, 2, 0, 0, 1], { shape: [2, 3] }), 'RangeError', 'targets[2] is 2; expected a number from 0 to 1'],
]

const ofCalls: readonly BadInput[] = [
  ['a shape of another size', call(x, six, { shape: [2, 4] }), 'RangeError', 'shape [2, 4] has 8 elements; expected 6, as many as logits'],
  ['an empty shape', call(x, six, { shape: [] }), 'TypeError', 'shape is an array of length 0; expected an array of at least one integer >= 0'],
  ['a shape as text', call(x, six, { shape: '2,3' }), 'TypeError', "shape is '2,3'; expected an array of at least one integer >= 0"],
  ['a fractional shape', call(x, six, { shape: [1.5, 4] }), 'RangeError', 'shape[0] is 1.5; expected an integer >= 0'],
  ['a negative shape', call(x, six, { shape: [-2, -3] }), 'RangeError', 'shape[0] is -2; expected an integer >= 0'],
  ['a shape with text', call(x, six, { shape: [2, '3'] }), 'TypeError', "shape[1] is '3'; expected an integer >= 0"],
  ['targets that fit no shape', call(x, [1, 0, 1], { shape: [2, 3] }), 'RangeError', 'targets has length 3; expected 6 (one per logit) or 2 (one class index per row)'],
  ['a class axis without shape', call(x, six, { classAxis: 1 }), 'TypeError', 'classAxis is given without shape; expected both'],
  ['a class axis too large', call(x, six, { shape: [2, 3], classAxis: 2 }), 'RangeError', 'classAxis is 2; expected an integer from -2 to 1'],
  ['a class axis as text', call(x, six, { shape: [2, 3], classAxis: 'last' }), 'TypeError', "classAxis is 'last'; expected an integer from -2 to 1"],
  ['a softmax without shape', callSoftmax(x, six), 'TypeError', 'shape is undefined; expected [rows, classes], as targets has one entry per logit (6; SigmoidFocalLoss is the loss of one logit per row)'],
  ['weights of another length', call(x, six, { shape: [2, 3], weights: [1] }), 'RangeError', 'weights has length 1; expected 6 (one per logit) or 2 (one per row)'],
  ['weights null', call(x, six, { weights: null }), 'TypeError', `weights is null; expected ${numeric}`],
  ['weights with text', call(x, six, { weights: ['1', 1, 1, 1, 1, 1] }), 'TypeError', "weights[0] is '1'; expected a number"],
  ['detached weights', call(x, six, { weights: detached() }), 'TypeError', `weights ${gone}`],
  ['a mask of another length', callSoftmax(x, Int32Array.of(0, 1), { mask: [1, 1, 1] }), 'RangeError', 'mask has length 3; expected 6 (one per logit) or 2 (one per row)'],
  ['weights of a softmax’s classes', callSoftmax(x, Int32Array.of(0, 1), { weights: six }), 'RangeError', 'weights has length 6; expected 2, one per row'],
  ['a true class that is masked', callSoftmax(x, Int32Array.of(0, 1), { mask: [1, 0, 1, 1, 0, 1] }), 'RangeError', 'targets[1] is 1; expected a class that mask leaves in its row'],
  ['a label of a class that is masked', callSoftmax(x, [1, 0, 0, 0.5, 0.5, 0], { shape: [2, 3], mask: [1, 0, 0, 0, 1, 1] }), 'RangeError', 'targets[3] is 0.5; expected 0, as mask takes this class out of its row'],
  ['a mask that is one boolean', call(x, six, { mask: true }), 'TypeError', `mask is true; expected ${numeric}`],
  ['normalizer 0', call(x, six, { normalizer: 0 }), 'RangeError', 'normalizer is 0; expected a finite number > 0'],
  ['normalizer NaN', call(x, six, { normalizer: NaN }), 'RangeError', 'normalizer is NaN; expected a finite number > 0'],
  ['normalizer as text', call(x, six, { normalizer: '6' }), 'TypeError', "normalizer is '6'; expected a finite number > 0"],
  ['an unknown call option', method('valueAndGrad', { gradient: x }), 'TypeError', "'gradient' is not an option of valueAndGrad(); did you mean 'grad'?"],
  ['a call option of another method', method('value', { grad: x }), 'TypeError', "'grad' is not an option of value(); expected one of dtype, shape, classAxis, targetKind, weights, mask, normalizer, out"],
  ['a normalizer of sums', method('sums', { normalizer: 3 }), 'TypeError', "'normalizer' is not an option of sums(); expected one of dtype, shape, classAxis, targetKind, weights, mask, grad, gradScale, out"],
  ['null for call options', call(x, six, null), 'TypeError', 'call options is null; expected an object with options'],
  ['call options that are none', call(x, six, new Float32Array(6)), 'TypeError', 'call options is a Float32Array of length 6; expected an object with options'],
  ['alpha for other classes', callNone(x, six, outputs, { alpha: [0.1, 0.2] }), 'RangeError', 'alpha has 2 entries; expected one per class, 1 (shape tells how many there are; one alpha is the weight of positives, and negatives have 1 - alpha)'],
  ['class weights for other classes', call(x, six, { shape: [2, 3] }, { classWeights: [1, 2] }), 'RangeError', 'classWeights has 2 entries; expected one per class, 3'],
  ['a background that is a class of a softmax', callSoftmax(x, Int32Array.of(0, 1), {}, { background: 0 }), 'RangeError', 'background is 0; expected an integer outside the classes 0..2 of a softmax'],
]

const ofOutputs: readonly BadInput[] = [
  ['out with a reduction', call(x, six, { out: memory }), 'TypeError', "out is given with reduction 'mean'; expected reduction 'none'"],
  ['a grad of another kind', call(x, six, { grad: new Float64Array(6) }), 'TypeError', 'grad is a Float64Array of length 6; expected a Float32Array, as logits is'],
  ['a hess of another kind', call(Float64Array.from(x), six, { hess: outputs.hess }), 'TypeError', 'hess is a Float32Array of length 6; expected a Float64Array, as logits is'],
  ['a grad of float64 for half precision', call(new Uint16Array(6), six, { dtype: 'bfloat16', grad: new Float64Array(6) }), 'TypeError', 'grad is a Float64Array of length 6; expected a Uint16Array, as logits is, or a Float32Array'],
  ['losses in float32 for half precision', callNone(new Uint16Array(6), six, { dtype: 'float16', out: outputs.out }), 'TypeError', 'out is a Float32Array of length 6; expected a Uint16Array, as logits is'],
  ['a grad of bits', call(x, six, { grad: new Uint16Array(6) }), 'TypeError', 'grad is a Uint16Array of length 6; expected a Float32Array, as logits is'],
  ['a plain grad', call(x, six, { grad: six }), 'TypeError', 'grad is an array of length 6; expected a Float32Array, as logits is'],
  ['grad true', call(x, six, { grad: true }), 'TypeError', `grad is true; expected ${float}`],
  ['hess null', call(x, six, { hess: null }), 'TypeError', 'hess is null; expected a Float32Array, as logits is'],
  ['out false', callNone(x, six, { out: false }), 'TypeError', `out is false; expected ${float}`],
  ['a shorter grad', call(x, six, { grad: memory.subarray(0, 5) }), 'RangeError', 'grad has length 5; expected 6'],
  ['a longer grad in float32', call(new Uint16Array(2), [0, 1], { dtype: 'bfloat16', grad: outputs.grad }), 'RangeError', 'grad has length 6; expected 2'],
  ['a grad of float32 over logits of 16 bits', call(new Uint16Array(memory.buffer, 0, 6), six, { dtype: 'float16', grad: memory.subarray(0, 6) }), 'RangeError', 'grad overlaps logits in memory; expected memory of its own (or exactly the logits)'],
  ['a longer hess', call(x, six, { hess: memory.subarray(0, 7) }), 'RangeError', 'hess has length 7; expected 6'],
  ['a longer out', callNone(x, six, { out: memory }), 'RangeError', 'out has length 12; expected 6'],
  ['an out per logit of a softmax', callSoftmax(x, Int32Array.of(0, 1), { out: outputs.out }, { reduction: 'none' }), 'RangeError', 'out has length 6; expected 2'],
  ['a detached grad', call(x, six, { grad: detached() }), 'TypeError', `grad ${gone}`],
  ['a grad half over the logits', call(memory.subarray(0, 6), six, { grad: memory.subarray(3, 9) }), 'RangeError', 'grad overlaps logits in memory; expected memory of its own (or exactly the logits)'],
  ['a grad over the targets', call(x, memory.subarray(0, 6), { grad: memory.subarray(3, 9) }), 'RangeError', 'grad overlaps targets in memory; expected memory of its own'],
  ['a grad over the weights', call(x, six, { weights: memory.subarray(0, 6), grad: memory.subarray(0, 6) }), 'RangeError', 'grad overlaps weights in memory; expected memory of its own'],
  ['a grad over the mask', call(x, six, { mask: new Uint8Array(memory.buffer, 3, 6), grad: memory.subarray(0, 6) }), 'RangeError', 'grad overlaps mask in memory; expected memory of its own'],
  ['a hess over the logits', call(memory.subarray(0, 6), six, { hess: memory.subarray(0, 6) }), 'RangeError', 'hess overlaps logits in memory; expected memory of its own'],
  ['a hess over grad', call(x, six, { grad: memory.subarray(0, 6), hess: memory.subarray(5, 11) }), 'RangeError', 'grad overlaps hess in memory; expected memory of its own'],
  ['out over the logits', callNone(memory.subarray(0, 6), six, { out: memory.subarray(0, 6) }), 'RangeError', 'out overlaps logits in memory; expected memory of its own'],
  ['out over grad', callNone(x, six, { out: memory.subarray(0, 6), grad: memory.subarray(0, 6) }), 'RangeError', 'out overlaps grad in memory; expected memory of its own'],
]

const ofFunctions: readonly BadInput[] = [
  ['a weight of positives above 1', () => weighted(4), 'RangeError', `positive is 4; expected a number from 0 to 1${ofPositive}`],
  ['no weight', () => weighted(), 'TypeError', `positive is undefined; expected a number from 0 to 1${ofPositive}`],
  ['a negative weight of negatives', () => weighted(1, -1), 'RangeError', 'negative is -1; expected a finite number >= 0'],
  ['weights of nothing', () => weighted(0, 0), 'RangeError', 'positive and negative are 0; expected at least one weight above 0'],
  ['weights per class and of negatives', () => weighted([1, 2], 1), 'TypeError', 'negative is 1; expected nothing, as positive has a weight for each class'],
  ['an unknown option of a one-liner', () => untyped(sigmoidFocalLoss)(x, six, { weigths: six }), 'TypeError', "'weigths' is not an option of sigmoidFocalLoss(); did you mean 'weights'?"],
  ['a bad option of a one-liner', () => untyped(softmaxFocalLoss)(x, Int32Array.of(0, 1), { gamma: -2 }), 'RangeError', 'gamma is -2; expected a finite number >= 0'],
  ['setBackend without a name', () => untyped(setBackend)(), 'TypeError', "backend is undefined; expected one of 'auto', 'cuda', 'webgpu', 'native', 'wasm', 'js'"],
  ['setBackend with another name', () => untyped(setBackend)('gpu'), 'RangeError', "backend is 'gpu'; expected one of 'auto', 'cuda', 'webgpu', 'native', 'wasm', 'js'"],
  ['init with another name', () => untyped(init)('metal'), 'RangeError', "backend is 'metal'; expected one of 'auto', 'cuda', 'webgpu', 'native', 'wasm', 'js'"],
]

const explain = (options: unknown, ofLoss: object = {}): Call => (backend) => invoke(new SigmoidFocalLoss({ backend, ...ofLoss }), 'explain', x, six, options)
const explainer = (options: unknown): Call => (backend) => invoke(new SoftmaxFocalLoss({ backend }), 'explainer', options)

const ofExplain: readonly BadInput[] = [
  ['one gamma to compare', explain({ gammas: 2 }), 'TypeError', 'gammas is 2; expected an array of numbers'],
  ['no gammas to compare', explain({ gammas: [] }), 'RangeError', 'gammas is an empty array; expected at least one number'],
  ['a negative gamma to compare', explain({ gammas: [0, -1] }), 'RangeError', 'gammas[1] is -1; expected a finite number >= 0'],
  ['gamma null to compare', explain({ gammas: [null] }), 'TypeError', 'gammas[0] is null; expected a finite number >= 0'],
  ['alphas as text', explainer({ alphas: '0.25' }), 'TypeError', "alphas is '0.25'; expected an array of numbers or null"],
  ['an alpha above 1 to compare', explain({ alphas: [null, 1.5] }), 'RangeError', 'alpha is 1.5; expected a number from 0 to 1'],
  ['an alpha per class to compare', explain({ alphas: [[0.5, 0.5]] }), 'TypeError', 'alphas[0] is an array of length 2; expected a finite number >= 0'],
  ['no bin', explain({ bins: 0 }), 'RangeError', 'bins is 0; expected an integer from 1 to 10000'],
  ['half a bin', explain({ bins: 1.5 }), 'RangeError', 'bins is 1.5; expected an integer from 1 to 10000'],
  ['bins as text', explainer({ bins: '10' }), 'TypeError', "bins is '10'; expected a number or an array of edges"],
  ['one edge', explain({ bins: [0] }), 'RangeError', 'bins is an array of length 1; expected 2 to 10001 edges'],
  ['bins that begin late', explain({ bins: [0.5, 1] }), 'RangeError', 'bins[0] is 0.5; expected 0, the first edge'],
  ['bins that end early', explain({ bins: [0, 0.5] }), 'RangeError', 'bins[1] is 0.5; expected 1, the last edge'],
  ['bins that fall', explain({ bins: [0, 0.5, 0.5, 1] }), 'RangeError', 'bins[2] is 0.5; expected a number above bins[1], 0.5'],
  ['an edge as text', explain({ bins: [0, '0.5', 1] }), 'TypeError', "bins[1] is '0.5'; expected a number from 0 to 1"],
  ['fewer than no hardest', explain({ hardest: -1 }), 'RangeError', 'hardest is -1; expected an integer from 0 to 1000000'],
  ['the hardest as text', explain({ hardest: 'all' }), 'TypeError', "hardest is 'all'; expected an integer from 0 to 1000000"],
  ['a misspelt option of explain', explain({ gamma: [2] }), 'TypeError', "'gamma' is not an option of explain(); did you mean 'gammas'?"],
  ['an option of the call to explainer', explainer({ shape: [6] }), 'TypeError', "'shape' is not an option of explainer(); expected one of gammas, alphas, bins, perClass, hardest"],
  ['null for options of explain', explain(null), 'TypeError', 'options is null; expected an object with options'],
  ['a mask of another length to explain', explain({ mask: [1] }), 'RangeError', 'mask has length 1; expected 6 (one per logit) or 6 (one per row)'],
  ['a normalizer to explain', explain({ normalizer: 2 }), 'TypeError', "'normalizer' is not an option of explain(); expected one of gammas, alphas, bins, perClass, hardest, dtype, shape, classAxis, targetKind, weights, mask"],
  ['gammas for a loss without one', () => new QualityFocalLoss().explain(x, six, { gammas: [2] }), 'TypeError', 'gammas is an array of length 1; expected nothing, as this loss has no gamma'],
  ['alphas for a loss without one', () => new HeatmapFocalLoss().explainer({ alphas: [null] }), 'TypeError', 'alphas is an array of length 1; expected nothing, as this loss has no alpha'],
  ['a gamma that this loss cannot have', () => new FocalStarLoss().explainer({ gammas: [0] }), 'RangeError', 'gamma is 0; expected a finite number > 0'],
  ['NaN to explain', explain({}), 'RangeError', 'the loss of logits[5] is NaN; expected a finite number, to share the sum by'],
  ['an option of another method to add', (backend) => new SigmoidFocalLoss({ backend }).explainer().add(x, six, { grad: outputs.grad } as object), 'TypeError', "'grad' is not an option of add(); expected one of dtype, shape, classAxis, targetKind, weights, mask"],
]

export const badInputs: readonly BadInput[] = [...ofOptions, ...ofFamily, ...ofArrays, ...ofCalls, ...ofOutputs, ...ofFunctions, ...ofExplain]
