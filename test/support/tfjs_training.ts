/** What training on a GPU backend of TensorFlow.js must be like. */
import { expect } from 'vitest'
import type { TrainingReport } from './tfjs_gpu.js'

export function expectTraining({ programs, reads, tensorsLeft, difference }: TrainingReport): void {
  expect(difference).toBeLessThan(1e-5)
  expect(tensorsLeft).toBe(0)
  // The loss's own number is all that is read
  expect(reads.fused).toBe(1)
  expect(programs.fused).toBeLessThan(25)
  expect(programs.composed - programs.fused).toBeGreaterThan(60)
}
