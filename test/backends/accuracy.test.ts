/** The numerics contract at float32 on sweeps of 20,000 logits: every backend, every instruction set, many powers. */
import { afterAll, describe, expect, it } from 'vitest'
import type { BackendName } from 'focal-loss'
import { testedBackends } from '../support/backends.js'
import { allowed } from '../support/closeness.js'
import { elementwiseNames, powersOf } from '../support/losses.js'
import { isas, useMachine } from '../support/native.js'
import { elementSweep, softmaxSweep, type SweepErrors, sweptOptions, sweptPowers, sweptTargets } from '../support/sweep.js'

/** All that is compared with one exact result: the backends, and the instruction sets of the native one. */
const machines: readonly { readonly machine: string; readonly backend: BackendName; readonly isa: number }[] = [
  ...testedBackends().filter((backend) => backend !== 'native').map((backend) => ({ machine: backend, backend, isa: 0 })),
  ...isas.map(({ name, isa }) => ({ machine: `native, ${name}`, backend: 'native' as const, isa })),
]

/** Runs a sweep on every machine. Returns what is beyond the contract. */
function beyondContract(sweep: (backend: BackendName) => SweepErrors, powers: readonly number[]) {
  const outputs = ['value', 'grad', 'hess'] as const
  return machines.flatMap(({ machine, backend, isa }) => {
    if (backend === 'native') useMachine(2, isa)
    const errors = sweep(backend)
    return outputs.some((output) => !(errors[output] <= allowed('float32', output, ...powers))) ? [{ machine, errors }] : []
  })
}

afterAll(() => useMachine(2))

describe.each(elementwiseNames)('%s', (name) => {
  it.each(sweptTargets)('%s', (kind) => {
    for (const options of sweptOptions[name]) {
      expect({ options, beyond: beyondContract(elementSweep(name, options, kind), powersOf(name, options)) }).toEqual({ options, beyond: [] })
    }
  }, 60_000)
})

describe('SoftmaxFocalLoss', () => {
  it.each([2, 3, 10, 100])('%d classes', (classes) => {
    for (const gamma of sweptPowers) {
      expect({ gamma, beyond: beyondContract(softmaxSweep(gamma, classes), [gamma]) }).toEqual({ gamma, beyond: [] })
    }
  }, 60_000)
})
