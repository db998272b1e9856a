/** How far the backend webgpu may be off, and is. */
import { allowed } from './closeness.js'

export interface Errors {
  readonly title: string
  readonly value: number
  readonly grad: number
  readonly hess: number
  /** What value and gradient may be off by. */
  readonly limit: number
}

/** What WebGPU allows: 4e-6 where no power takes a logarithm, 1e-5 where one does. */
export const allowedOnWebgpu: typeof allowed = (precision, output, ...powers) => (output === 'hess' ? 2e-5 : allowed(precision, output, ...powers) === 2e-6 ? 4e-6 : 1e-5)
