/** Colours for canvases, which CSS does not style. */

export function colour(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim()
}

/** Calls back when the page has become light or dark. */
export function onTheme(changed: () => void): void {
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', changed)
  new MutationObserver(changed).observe(document.documentElement, { attributeFilter: ['data-theme'] })
}

/** `#rrggbb`, or `#rgb` for short, as its three parts, 0 to 255. */
export function channels(hex: string): readonly [red: number, green: number, blue: number] {
  const value = parseInt(hex.length === 4 ? hex.replace(/\w/g, '$&$&').slice(1) : hex.slice(1), 16)
  return [value >> 16, (value >> 8) & 255, value & 255]
}
