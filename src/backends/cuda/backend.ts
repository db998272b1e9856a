/** The backend of GPUs: the same kernel in CUDA, on arrays in a GPU's memory, and on the host's through copies. */
import type { AnyArray } from '../../arrays/logits.js'
import { memoryOf } from './device_array.js'
import type { AnyProblem } from '../../problem/problem.js'
import { type AddonArray, announce, CALL_BYTES, sumsIn, viewsOf } from '../addon/call.js'
import { inSteadyMemory } from '../addon/steady.js'
import type { BackendLoader, DeviceBackend } from '../backend.js'
import { cudaDevices, type Devices, guarded, guardedAsync } from './devices.js'
import { GpuCrossovers } from './crossover.js'
import { blockRowsOf, writeProblem } from '../layout.js'
import { Queue } from '../queue.js'
import type { Watch } from '../watch.js'

/** The GPU's own affair. */
const machine = { threads: 0, isa: 0 } as const

/** Knows what GPUs there are, and opens none before somebody asks for it. */
export const cudaLoader: BackendLoader = { load: () => cudaBackend(cudaDevices()) }

function cudaBackend(devices: Devices): DeviceBackend {
  const memory = new ArrayBuffer(CALL_BYTES)
  const call = viewsOf(memory)
  // One asynchronous call at a time on each device, as each has one stream for them
  const queues = devices.list.map(() => new Queue())
  const crossovers = new GpuCrossovers()
  return {
    name: 'cuda',
    get description() {
      const { name, capability } = devices.list[devices.current]
      return `CUDA, device ${devices.current}, ${name}, compute capability ${capability}`
    },
    open: (device) => devices.open(device === undefined ? undefined : devices.check('device', device)),
    get calibrations() {
      return crossovers.all
    },
    pays(fast, problem) {
      return crossovers.pays(this, fast, problem)
    },
    blockRows: (formula, classes) =>
      formula.perRow ? devices.addon.blockRows(formula.code, classes) : blockRowsOf(devices.addon.blockElements, formula, classes),
    run(problem: AnyProblem) {
      const session = devices.session(problem.device ?? devices.current)
      writeProblem(call.bytes, problem, machine)
      announce(call.bytes, problem)
      guarded(() => session.run(memory, ...arraysFor(problem)))
      return sumsIn(call, problem)
    },
    async runAsync(problem: AnyProblem, watch: Watch) {
      const device = problem.device ?? devices.current
      const memory = new ArrayBuffer(CALL_BYTES)
      const call = viewsOf(memory)
      writeProblem(call.bytes, problem, machine)
      announce(call.bytes, problem)
      const session = await devices.asyncSession(device)
      const cancel = () => void Atomics.store(call.flags, 1, 1)
      await queues[device].enter(watch.signal)
      watch.signal?.addEventListener('abort', cancel)
      try {
        watch.check()
        const steady = inSteadyMemory(problem)
        await guardedAsync(Promise.resolve(guarded(() => session.start(memory, ...arraysFor(steady.problem)))))
        watch.check()
        steady.finish()
      } finally {
        watch.signal?.removeEventListener('abort', cancel)
        queues[device].leave()
      }
      return sumsIn(call, problem)
    },
  }
}

/** In the order of binding/call.h. */
function arraysFor({ loss, logits, targets, weights, mask, values, grad, hess }: AnyProblem): (AddonArray | null)[] {
  return [
    forAddon(logits),
    forAddon(targets),
    forAddon(weights),
    forAddon(mask),
    loss.classTable,
    loss.classNegative,
    forAddon(values),
    forAddon(grad),
    forAddon(hess),
  ]
}

function forAddon(array: AnyArray | null): AddonArray | null {
  return array === null || ArrayBuffer.isView(array) ? array : memoryOf(array)
}
