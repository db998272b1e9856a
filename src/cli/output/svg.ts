/** The pieces of an SVG as text. Small, so that they can be shipped. */

/** Distinguishable with the usual colour blindnesses (Okabe and Ito). */
export const PALETTE = ['#0072b2', '#d55e00', '#009e73', '#cc79a7', '#7a7a7a', '#e69f00', '#56b4e9']

/** The first lines of a drawing on white; `</svg>` is the last. `title` is what a screen reader says of it. */
export function openSvg(width: number, height: number, title: string): string[] {
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" role="img" aria-label="${escaped(title)}" font-family="system-ui, sans-serif" font-size="12">`,
    `<rect width="${width}" height="${height}" fill="#fff"/>`,
  ]
}

export function polyline(points: readonly (readonly [x: number, y: number])[], style: string): string {
  return `<polyline points="${points.map((point) => point.map(rounded).join(',')).join(' ')}" fill="none" ${style}/>`
}

export function line(x1: number, y1: number, x2: number, y2: number, style: string): string {
  return `<line x1="${rounded(x1)}" y1="${rounded(y1)}" x2="${rounded(x2)}" y2="${rounded(y2)}" ${style}/>`
}

export function text(x: number, y: number, content: string, style = ''): string {
  return `<text x="${rounded(x)}" y="${rounded(y)}"${style === '' ? '' : ` ${style}`}>${escaped(content)}</text>`
}

export function rounded(coordinate: number): string {
  return String(Math.round(coordinate * 10) / 10)
}

/** Text as it may stand in XML and HTML. */
export function escaped(content: string): string {
  const entities: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' }
  return content.replace(/[&<>"]/g, (character) => entities[character])
}
