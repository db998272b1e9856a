/** The native backend as the suites want it: any number of threads, any instruction set of this machine. */
import { createRequire } from 'node:module'
import { registerBackend } from '../../src/backends/registry.js'
import { type Addon, nativeBackend } from '../../src/backends/native/backend.js'
import { testedBackends } from './backends.js'

const require: (name: string) => unknown = createRequire(import.meta.url)

export const addon = () => require('../../build/Release/focal_loss.node') as Addon

const list = testedBackends().includes('native') ? addon().isas() : []

/** The names of the instruction sets that this processor has, best first, and their places in the kernel's list. */
export const isas = list.flatMap(({ name, supported }, index) => (supported ? [{ name, isa: index + 1 }] : []))

/** From here on 'native' runs with these threads on this instruction set (0: the best one). */
export function useMachine(threads: number, isa = 0): void {
  registerBackend('native', { load: () => nativeBackend(addon(), { threads, isa }) })
}
