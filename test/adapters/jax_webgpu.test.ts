/** Losses at the end of models on jax-js's webgpu backend in Node.js, by Dawn and SwiftShader. */
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { runDawnChild } from '../support/dawn.js'

export interface JaxReport {
  readonly started: readonly string[]
  readonly results: { readonly title: string; readonly readBack: number; readonly value: number; readonly grad: number }[]
  readonly refused: string
}

it('the loss is computed on the buffers of jax-js, and only the value is read back', { timeout: 120_000 }, () => {
  const { started, results, refused } = runDawnChild(['--import', 'tsx', fileURLToPath(new URL('jax_child.ts', import.meta.url))]) as JaxReport
  expect(started).toContain('webgpu')
  for (const { title, value, grad } of results) {
    expect(value, title).toBeLessThan(2e-6)
    expect(grad, title).toBeLessThan(2e-6)
  }
  // Without a reduction, logits are read, and nothing is allowed to be of the others
  expect(results.map(({ title, readBack }) => [title, readBack === 4])).toEqual([
    ['labels', true],
    ['labels of jax-js', true],
    ['class indices', true],
    ['class indices of jax-js', true],
    ['probabilities', true],
    ['no reduction', false],
  ])
  expect(refused).toBe('RangeError: targets[3] is 2; expected a number from 0 to 1')
})
