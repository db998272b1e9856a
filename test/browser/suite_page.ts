/** Runs in the page: the golden cases and random problems, on the backends that browsers have. */
import { setBackend } from 'focal-loss'
import { disagreements, outcomeOf } from '../support/agreement.js'
import { allowed } from '../support/closeness.js'
import { goldenCases, goldenErrors, nameOf } from '../support/golden.js'
import { precisions } from '../support/losses.js'
import { randomProblems } from '../support/problems.js'

function goldenFailures(backend: 'wasm' | 'js'): string[] {
  return precisions.flatMap((precision) =>
    goldenCases.flatMap((one, index) => {
      const errors = goldenErrors(one, backend, precision)
      const bad = (['value', 'grad', 'hess'] as const).filter((output) => !(errors[output] <= allowed(precision, output, one.options.gamma ?? 2)))
      return bad.map((output) => `${precision} ${nameOf(one, index)}: ${output} errs by ${errors[output]}`)
    }),
  )
}

setBackend('wasm')
const problems = randomProblems(400, 54321)
const expected = problems.map((problem) => outcomeOf(problem, 'js'))
const counts = { golden: goldenCases.length, problems: problems.length, refused: expected.filter((outcome) => typeof outcome === 'string').length }
const failures = [...goldenFailures('wasm'), ...goldenFailures('js'), ...disagreements('wasm', problems, expected)]
Object.assign(globalThis, { result: { counts, failures } })
