/** The numerics contract at float32 on sweeps of 20,000 logits: every backend, every instruction set, many gammas. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { BackendName } from 'focal-loss'
import { testedBackends } from './backends.js'
import { allowed } from './support/closeness.js'
import { isas, useMachine } from './support/native.js'
import { sigmoidSweep, softmaxSweep, type SweepErrors, sweptTargets } from './support/sweep.js'

const gammas = [0, 0.1, 0.25, 0.5, 1, 1.3, 1.5, 2, 2.7, 3, 3.7, 4, 4.9, 5]

function expectAllowed(errors: SweepErrors, gamma: number): void {
  const outputs = ['value', 'grad', 'hess'] as const
  const beyond = outputs.filter((output) => !(errors[output] <= allowed('float32', output, gamma)))
  expect({ beyond, errors: beyond.length > 0 ? errors : undefined }).toEqual({ beyond: [], errors: undefined })
}

function sweep(backend: BackendName): void {
  it.each(sweptTargets)('sigmoid, %s', (kind) => {
    for (const gamma of gammas) expectAllowed(sigmoidSweep(backend, gamma, kind), gamma)
  })
  it.each([2, 3, 10, 100])('softmax of %d classes', (classes) => {
    for (const gamma of gammas) expectAllowed(softmaxSweep(backend, gamma, classes), gamma)
  })
}

describe.each(testedBackends().filter((backend) => backend !== 'native'))('%s', (backend) => sweep(backend))

describe.each(isas)('native, $name', ({ isa }) => {
  beforeAll(() => useMachine(2, isa))
  afterAll(() => useMachine(2))
  sweep('native')
})
