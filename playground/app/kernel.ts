/** The backend that computes the numbers of the page. */
import { type BackendName, backends, init } from 'focal-loss'

let kernel: BackendName = 'wasm'

/** Compiles the WebAssembly; where the browser refuses that, the plain backend serves. */
export async function startKernel(): Promise<void> {
  kernel = await init('wasm').catch(() => 'js' as const)
}

/** The backend of every loss of the page. By name, so that small calls run on the kernel too. */
export function kernelName(): BackendName {
  return kernel
}

/** A sentence for the end of the page. */
export function describeKernel(): string {
  const { description, reason } = backends().find(({ name }) => name === 'wasm') ?? { description: '', reason: '' }
  return kernel === 'wasm' ? `Every number here is computed by the package's own kernel in this browser: ${description}.` : `Every number here is computed by the package's plain TypeScript, because ${reason}`
}
