/** Assertions on what the backend webgpu reports; apart from the report, which also runs in pages. */
import { expect } from 'vitest'
import type { Errors } from './webgpu_errors.js'

/** All errors are within what WebGPU allows. */
export function expectWithin(all: readonly Errors[]): void {
  for (const { title, value, grad, hess, limit } of all) {
    expect(value, title).toBeLessThan(limit)
    expect(grad, title).toBeLessThan(limit)
    expect(hess, title).toBeLessThan(2e-5)
  }
}
