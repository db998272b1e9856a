/** The example that is built in: see example/README.md. */
import logits from './example/detector-logits.npy?inline'
import targets from './example/detector-targets.npy?inline'
import type { Given } from './given_files.js'

export const EXAMPLE = { logits: 'detector-logits.npy', targets: 'detector-targets.npy' } as const

export function exampleFiles(): Required<Given> {
  return { logits: fileOf(EXAMPLE.logits, logits), targets: fileOf(EXAMPLE.targets, targets) }
}

/** From a `data:` address, without asking the network for it. */
function fileOf(name: string, address: string): File {
  const text = atob(address.slice(address.indexOf(',') + 1))
  return new File([Uint8Array.from(text, (character) => character.charCodeAt(0))], name)
}
