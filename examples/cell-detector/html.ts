/** Building blocks of the examples' reports: self-contained pages. */
import type { TextTable } from './tables.js'

const STYLE = `
  :root { color-scheme: light dark; --paper: #fff; --shade: #bbb; }
  body { margin: 0 auto; max-width: 1000px; padding: 2rem 1.25rem 4rem; color: #222; background: var(--paper); font: 16px/1.55 system-ui, sans-serif; }
  h1 { font-size: 1.7rem; margin: 0 0 .3rem; } h2 { font-size: 1.2rem; margin: 2.6rem 0 .4rem; }
  p, ul { max-width: 46rem; } .lead { color: #555; margin-top: 0; } .verdict { border-left: 4px solid #0072b2; padding: .1rem 0 .1rem 1rem; }
  /* A shadow at the right while there is more of a table there */
  .scroll { overflow-x: auto; background: linear-gradient(to left, var(--paper) 50%, transparent) 100% 0 / 3rem 100% no-repeat local,
    linear-gradient(to left, var(--shade), transparent) 100% 0 / 1rem 100% no-repeat scroll; }
  table { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: .92rem; }
  th, td { padding: .35rem .8rem; text-align: right; border-bottom: 1px solid #e6e6e6; white-space: nowrap; }
  th:first-child, td:first-child { text-align: left; padding-left: 0; } th { font-weight: 600; border-bottom: 2px solid #bbb; }
  .row { display: flex; flex-wrap: wrap; gap: 1.5rem; align-items: flex-start; } figure { margin: .5rem 0; flex: 1 1 420px; }
  figcaption { color: #555; font-size: .9rem; } svg, img { max-width: 100%; height: auto; }
  .scroll:focus-visible { outline: 3px solid #0072b2; outline-offset: 2px; } p, li { overflow-wrap: anywhere; }
  @media (max-width: 600px) {
    figure { flex-basis: 100%; } table { font-size: .8rem; } th, td { padding: .3rem .4rem; } th, th:first-child, td:first-child { white-space: normal; } td:first-child { min-width: 8.5rem; }
  }
  @media (prefers-color-scheme: dark) {
    :root { --paper: #16181b; --shade: #555; } body { color: #ddd; } .lead, figcaption { color: #aaa; } th, td { border-color: #444; } .verdict { border-color: #4aa9e8; }
    /* White paper turned dark, colours as they were */
    svg { filter: invert(.91) hue-rotate(180deg); }
  }`

/** `body` is HTML. No script, no font and no picture is loaded from anywhere. */
export function renderPage(title: string, body: string): string {
  return `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>${escape(title)}</title>
<style>${STYLE}</style></head>
<body>
<main>
<h1>${escape(title)}</h1>
${body}
</main>
</body>
</html>
`
}

export function renderTable({ head, rows }: TextTable): string {
  const line = (cells: readonly string[], tag: 'th' | 'td'): string => `<tr>${cells.map((cell) => `<${tag}>${escape(cell)}</${tag}>`).join('')}</tr>`
  return `<div class="scroll" role="region" tabindex="0" aria-label="${escape(head.filter((cell) => cell !== '').join(', '))}"><table><thead>${line(head, 'th')}</thead><tbody>${rows.map((row) => line(row, 'td')).join('')}</tbody></table></div>`
}

export function figure(content: string, caption: string): string {
  return `<figure>${content}<figcaption>${caption}</figcaption></figure>`
}

export function escape(text: string): string {
  const entities: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' }
  return text.replace(/[&<>"]/g, (character) => entities[character] ?? character)
}
