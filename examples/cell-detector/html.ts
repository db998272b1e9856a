/** What the reports of the examples are made of: pages with everything in them. */
import type { TextTable } from './tables.js'

const STYLE = `
  :root { color-scheme: light; }
  body { margin: 0 auto; max-width: 1000px; padding: 2rem 1.25rem 4rem; color: #222; background: #fff; font: 16px/1.55 system-ui, sans-serif; }
  h1 { font-size: 1.7rem; margin: 0 0 .3rem; } h2 { font-size: 1.2rem; margin: 2.6rem 0 .4rem; }
  p, ul { max-width: 46rem; } .lead { color: #555; margin-top: 0; } .verdict { border-left: 4px solid #0072b2; padding: .1rem 0 .1rem 1rem; }
  .scroll { overflow-x: auto; }
  table { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: .92rem; }
  th, td { padding: .35rem .8rem; text-align: right; border-bottom: 1px solid #e6e6e6; white-space: nowrap; }
  th:first-child, td:first-child { text-align: left; padding-left: 0; } th { font-weight: 600; border-bottom: 2px solid #bbb; }
  .row { display: flex; flex-wrap: wrap; gap: 1.5rem; align-items: flex-start; } figure { margin: .5rem 0; flex: 1 1 420px; }
  figcaption { color: #555; font-size: .9rem; } svg, img { max-width: 100%; height: auto; }`

/** `body` is HTML. No script, no font and no picture is loaded from anywhere. */
export function renderPage(title: string, body: string): string {
  return `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${escape(title)}</title>
<style>${STYLE}</style></head>
<body>
<h1>${escape(title)}</h1>
${body}
</body>
</html>
`
}

export function renderTable({ head, rows }: TextTable): string {
  const line = (cells: readonly string[], tag: 'th' | 'td'): string => `<tr>${cells.map((cell) => `<${tag}>${escape(cell)}</${tag}>`).join('')}</tr>`
  return `<div class="scroll"><table><thead>${line(head, 'th')}</thead><tbody>${rows.map((row) => line(row, 'td')).join('')}</tbody></table></div>`
}

export function figure(content: string, caption: string): string {
  return `<figure>${content}<figcaption>${caption}</figcaption></figure>`
}

export function escape(text: string): string {
  const entities: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' }
  return text.replace(/[&<>"]/g, (character) => entities[character] ?? character)
}
