/** The WebAssembly module as it travels in the package: as text that compresses well. scripts/embed-wasm.mjs writes it. */

export interface ModuleText {
  readonly text: string
  /** The characters of the text: those that stand for a byte, then two that do so together with the next. */
  readonly alphabet: string
  /** The bytes in the order of their characters, the commonest first. */
  readonly order: readonly number[]
  /** How many bytes the module has. */
  readonly byteCount: number
  /** The byte of the flags with which the module asks for its memory. */
  readonly memoryFlagsAt: number
}

/** The bytes. */
export function decode({ text, alphabet, order, byteCount }: ModuleText): Uint8Array<ArrayBuffer> {
  const ranks = new Uint8Array(128)
  for (let rank = 0; rank < alphabet.length; rank++) ranks[alphabet.charCodeAt(rank)] = rank
  const values = Uint8Array.from(order)
  const singles = alphabet.length - 2
  const bytes = new Uint8Array(byteCount)
  let next = 0
  for (let i = 0; i < byteCount; i++) {
    let rank = ranks[text.charCodeAt(next++)]
    if (rank >= singles) rank = singles * (rank - singles + 1) + ranks[text.charCodeAt(next++)]
    bytes[i] = values[rank]
  }
  return bytes
}
