/** `focal-loss selftest`: golden values and finite differences on every backend that runs here. */
import {
  AsymmetricLoss,
  AsymmetricSoftmaxLoss,
  type BackendName,
  backends,
  DistributionFocalLoss,
  type FocalLossBase,
  FocalStarLoss,
  HeatmapFocalLoss,
  QualityFocalLoss,
  SigmoidFocalLoss,
  SoftmaxFocalLoss,
  VarifocalLoss,
} from 'focal-loss'
import golden from './golden.json' with { type: 'json' }

/** One line of the table: the largest error of one check on one backend. */
interface Check {
  readonly backend: BackendName
  readonly check: string
  readonly cases: number
  /** Relative; see the checks for what to. */
  readonly error: number
  readonly limit: number
  readonly passed: boolean
}

const losses = {
  SigmoidFocalLoss,
  SoftmaxFocalLoss,
  FocalStarLoss,
  QualityFocalLoss,
  VarifocalLoss,
  HeatmapFocalLoss,
  AsymmetricLoss,
  AsymmetricSoftmaxLoss,
  DistributionFocalLoss,
}

type Golden = (typeof golden)[number]
type LossName = keyof typeof losses
/** Each loss checks its own. */
type Options = Readonly<Record<string, unknown>>
type FloatArray = Float32ArrayConstructor | Float64ArrayConstructor

/** The numerics contract: float32 by the powers, float64 always the same. */
const FLOAT64_LIMIT = 1e-12
const FAST_POWERS = [0, 0.5, 1, 1.5, 2, 3, 4, 5]
const POWERS = ['gamma', 'beta', 'gammaPositive', 'gammaNegative']
/** Below this an absolute error is allowed. */
const TINY = 1e-37

export function selftest(json = false): { text: string; passed: boolean } {
  const all = backends()
  const missing = all.filter(({ available }) => !available).map(({ name }) => name)
  const checks = all.filter(({ available }) => available).flatMap(({ name }) => [
    goldenCheck(name, Float32Array, 'fast'),
    goldenCheck(name, Float32Array, 'any'),
    goldenCheck(name, Float64Array, 'all'),
    differencesCheck(name),
  ])
  const passed = checks.length > 0 && checks.every((check) => check.passed)
  return { text: json ? JSON.stringify({ passed, checks, missing }, null, 2) : table(checks, missing, passed), passed }
}

/** The worst error against 60-digit values. */
function goldenCheck(backend: BackendName, Type: FloatArray, which: 'fast' | 'any' | 'all'): Check {
  const cases = golden.filter(({ options }) => which === 'all' || isFast(options) === (which === 'fast'))
  const limit = which === 'all' ? FLOAT64_LIMIT : which === 'fast' ? 2e-6 : 8e-6
  const error = Math.max(0, ...cases.map((one) => errorOf(one, backend, Type)))
  const powers = which === 'fast' ? 'powers 0, 1/2, 1, 3/2, 2, 3, 4, 5' : which === 'any' ? 'other powers' : 'all powers'
  return result(backend, `golden ${Type === Float32Array ? 'float32' : 'float64'}, ${powers}`, cases.length, error, limit)
}

function isFast(options: Options): boolean {
  return POWERS.every((name) => options[name] === undefined || FAST_POWERS.includes(options[name] as number))
}

function errorOf({ loss, options, shape, logits, targets, expected }: Golden, backend: BackendName, Type: FloatArray): number {
  const made = make(loss as LossName, { ...options, reduction: 'none', backend })
  const { value, grad } = made.valueAndGrad(Type.from(logits), targets, { shape })
  // Where the exact result may pass through zero, its error is relative to the largest
  const soft = 'labelSmoothing' in options || targets.some((y) => !Number.isInteger(y))
  return Math.max(largestError(value, expected.value, soft), largestError(grad, expected.grad, soft))
}

/** What is differentiated: several powers of the losses with one of their own, the usual ones of the others. */
const differentiated: readonly (readonly [LossName, Options])[] = [
  ...[0, 0.5, 2, 3.7].flatMap((gamma) => [['SigmoidFocalLoss', { gamma }] as const, ['SoftmaxFocalLoss', { gamma }] as const]),
  ['FocalStarLoss', {}],
  ['QualityFocalLoss', {}],
  ['VarifocalLoss', {}],
  ['HeatmapFocalLoss', {}],
  ['AsymmetricLoss', {}],
  ['AsymmetricSoftmaxLoss', {}],
  ['DistributionFocalLoss', {}],
]

/** The gradient against central differences of the value, in float64. */
function differencesCheck(backend: BackendName): Check {
  const shape = [8, 3]
  const logits = Float64Array.from({ length: 24 }, (_, i) => 4 * Math.sin(1 + 7 * i))
  const targets = Int32Array.from({ length: 8 }, (_, r) => r % 3)
  const step = 1e-5
  const errors = differentiated.map(([loss, options]) => {
    const made = make(loss, { ...options, reduction: 'sum', backend })
    const { grad } = made.valueAndGrad(logits, targets, { shape })
    const differences = logits.map((_, k) => {
      const at = (x: number) => made.value(logits.with(k, x), targets, { shape }) as number
      return (at(logits[k] + step) - at(logits[k] - step)) / (2 * step)
    })
    return largestError(grad, Array.from(differences), true)
  })
  return result(backend, 'gradient against finite differences, float64', errors.length, Math.max(...errors), 1e-8)
}

function make(loss: LossName, options: Options): FocalLossBase {
  return new losses[loss](options)
}

function largestError(actual: number | ArrayLike<number>, expected: readonly number[], relativeToLargest: boolean): number {
  if (typeof actual === 'number' || actual.length !== expected.length) return Infinity
  const largest = Math.max(...expected.map(Math.abs))
  const errors = expected.map((exact, i) => {
    const absolute = Math.abs(actual[i] - exact)
    return absolute <= TINY ? 0 : absolute / (relativeToLargest ? largest : Math.abs(exact))
  })
  return errors.some(Number.isNaN) ? Infinity : Math.max(0, ...errors)
}

function result(backend: BackendName, check: string, cases: number, error: number, limit: number): Check {
  return { backend, check, cases, error, limit, passed: error <= limit }
}

function table(checks: readonly Check[], missing: readonly string[], passed: boolean): string {
  const rows = checks.map(({ backend, check, cases, error, limit, passed }) => [
    backend,
    check,
    String(cases),
    error.toExponential(1),
    limit.toExponential(0),
    passed ? 'ok' : 'FAILED',
  ])
  const all = [['backend', 'check', 'cases', 'largest error', 'limit', ''], ...rows]
  const widths = all[0].map((_, column) => Math.max(...all.map((row) => row[column].length)))
  const lines = all.map((row) => row.map((cell, column) => cell.padEnd(widths[column])).join('  ').trimEnd())
  const notRun = missing.length > 0 ? `; not available here: ${missing.join(', ')} (focal-loss doctor says why)` : ''
  return [...lines, '', `${passed ? 'all passed' : 'FAILED'}${notRun}`].join('\n')
}
