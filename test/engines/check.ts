/** What is asked of every engine: golden values and random problems on all its backends, the worker pool, an abort, TensorFlow.js. Runs in the engine itself. */
import { type BackendName, backends, init, SigmoidFocalLoss } from 'focal-loss'
import { disagreements, outcomeOf } from '../support/agreement.js'
import { allowed } from '../support/closeness.js'
import { goldenCases, goldenErrors, nameOf } from '../support/golden.js'
import { precisions } from '../support/losses.js'
import { randomProblems } from '../support/problems.js'
import { checkTensorFlow } from './tensorflow.js'

export interface Findings {
  /** Those that run. */
  readonly backends: readonly string[]
  /** Why the others do not. */
  readonly reasons: Readonly<Record<string, string>>
  readonly golden: number
  readonly problems: number
  /** `same` bits as without workers, or why there are none. */
  readonly workers: string
  /** The backends of TensorFlow.js that run. */
  readonly tensorflow: readonly string[]
  /** A line for each thing that is wrong. */
  readonly failures: readonly string[]
}

/** Enough for workers, and for calls that take turns with the event loop. */
const MANY = 1_000_000

export async function check(problemCount: number): Promise<Findings> {
  const all = backends()
  const names = all.flatMap(({ name, available }) => (available ? [name] : []))
  const problems = randomProblems(problemCount, 54321)
  const expected = problems.map((problem) => outcomeOf(problem, 'js'))
  const workers = await poolOf(names)
  const failures = names.flatMap((name) => [
    ...goldenFailures(name),
    ...(name === 'js' ? [] : disagreements(name, problems, expected).map((line) => `${name}: ${line}`)),
  ])
  if (workers === 'different') failures.push('wasm: workers give other bits than a synchronous call')
  for (const name of names) failures.push(...(await abortFailures(name)))
  const tensorflow = await checkTensorFlow(names)
  failures.push(...tensorflow.failures)
  const reasons = Object.fromEntries(all.flatMap(({ name, reason }) => (reason === '' ? [] : [[name, reason]])))
  return { backends: names, reasons, golden: goldenCases.length, problems: problems.length, workers, tensorflow: tensorflow.backends, failures }
}

function goldenFailures(backend: BackendName): string[] {
  return precisions.flatMap((precision) =>
    goldenCases.flatMap((one, index) => {
      const errors = goldenErrors(one, backend, precision)
      const bad = (['value', 'grad', 'hess'] as const).filter((output) => !(errors[output] <= allowed(precision, output, one.options.gamma ?? 2)))
      return bad.map((output) => `${backend}, ${precision} ${nameOf(one, index)}: ${output} errs by ${errors[output]}`)
    }),
  )
}

const logits = new Float32Array(MANY).map((_, k) => (k % 4001) / 400 - 5)
const labels = new Uint8Array(MANY).map((_, k) => Number(k % 9 === 0))

async function poolOf(names: readonly BackendName[]): Promise<string> {
  if (!names.includes('wasm')) return 'no wasm'
  try {
    await init('wasm', { workers: 2 })
  } catch (error) {
    return String(error)
  }
  const loss = new SigmoidFocalLoss({ backend: 'wasm' })
  const expected = loss.valueAndGrad(logits, labels)
  const { value, grad } = await loss.valueAndGradAsync(logits, labels)
  await init('wasm', { workers: 0 })
  return value === expected.value && grad.every((each, k) => each === expected.grad[k]) ? 'same' : 'different'
}

/** A call that is aborted rejects with the signal's reason, and the next one is right. */
async function abortFailures(name: BackendName): Promise<string[]> {
  const loss = new SigmoidFocalLoss({ backend: name })
  const controller = new AbortController()
  const aborted = loss.valueAndGradAsync(logits, labels, { signal: controller.signal }).then(
    () => 'it came to its end',
    (error: unknown) => (error as { name?: unknown }).name,
  )
  controller.abort()
  const said = await aborted
  const { value, grad } = await loss.valueAndGradAsync(logits, labels)
  const exact = loss.valueAndGrad(logits, labels)
  const failures = said === 'AbortError' ? [] : [`${name}: an aborted call says ${String(said)}; expected AbortError`]
  if (value !== exact.value || !grad.every((each, k) => each === exact.grad[k])) failures.push(`${name}: the call after an aborted one gives other bits`)
  return failures
}
