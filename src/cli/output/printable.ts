/** Escapes text from files for error messages, because a terminal obeys control characters. */

/** With control characters as escapes, cut off after `most` characters. */
export function printable(text: string, most = Infinity): string {
  const cut = text.length > most ? `${text.slice(0, most)}...` : text
  return cut.replace(/\p{Cc}/gu, (character) => `\\x${(character.codePointAt(0) as number).toString(16).padStart(2, '0')}`)
}

/** Names between commas, few of them. */
export function namesText(names: readonly string[]): string {
  const shown = (some: readonly string[]) => some.map((name) => (name === '' ? "''" : printable(name, 80))).join(', ')
  return names.length > 12 ? `${shown(names.slice(0, 10))} ... ${shown(names.slice(-1))}` : shown(names)
}
