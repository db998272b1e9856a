/** The backends that the suites run against. One that is missing fails them: it is never skipped in silence. */
import { type BackendName, backends } from 'focal-loss'
import { useCuda } from './cuda.js'

/** Those with synchronous calls, which the suites make; test/backends/webgpu has the other. */
export type SynchronousBackend = Exclude<BackendName, 'webgpu'>

/**
 * 'native', 'wasm' and 'js', or those that FOCAL_LOSS_TEST_BACKENDS names ('js,wasm'); 'cuda' is the emulated device where there is no GPU.
 * Throws, with the reason, where one of them is not available.
 */
export function testedBackends(): SynchronousBackend[] {
  const wanted = (process.env.FOCAL_LOSS_TEST_BACKENDS ?? 'native,wasm,js').split(',').map((name) => name.trim())
  if (wanted.includes('cuda')) useCuda()
  const all = backends()
  return wanted.map((name) => {
    const info = all.find((backend) => backend.name === name)
    if (info === undefined) throw new Error(`FOCAL_LOSS_TEST_BACKENDS names '${name}'; expected ${all.map((b) => b.name).join(', ')}`)
    if (!info.available) throw new Error(`the backend '${name}' cannot be tested: ${info.reason}`)
    if (info.name === 'webgpu') throw new Error('the backend webgpu has asynchronous calls only: run test/backends/webgpu')
    return info.name
  })
}
