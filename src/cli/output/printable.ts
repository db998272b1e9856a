/** Escapes text from files for error messages, because a terminal obeys control characters. */

/** With control characters as escapes, cut off after `most` characters of the result. */
export function printable(text: string, most = Infinity): string {
  let shown = ''
  for (const character of text) {
    const next = character.replace(/\p{Cc}/u, `\\x${(character.codePointAt(0) as number).toString(16).padStart(2, '0')}`)
    if (shown.length + next.length > most) return `${shown}...`
    shown += next
  }
  return shown
}

/** Names between commas: few of them, and fewer where they are long, so that a sentence remains one. */
export function namesText(names: readonly string[]): string {
  const most = 300
  const shown = names.map((name) => (name === '' ? "''" : printable(name, 80)))
  const lengthOf = (count: number) => shown.slice(0, count).join(', ').length
  if (names.length <= 12 && lengthOf(names.length) <= most) return shown.join(', ')
  let count = Math.min(10, names.length - 1)
  while (count > 1 && lengthOf(count) > most) count--
  return `${shown.slice(0, count).join(', ')} ... ${shown[shown.length - 1]}`
}
