/** Saves text as a file of the reader's. */
import { h } from './dom.js'

export function download(name: string, type: string, text: string): void {
  const address = URL.createObjectURL(new Blob([text], { type }))
  h('a', { href: address, download: name }).click()
  // Not before the browser has taken it
  setTimeout(() => URL.revokeObjectURL(address), 10_000)
}
