/** The report as one self-contained page. */
import type { EvaluatedFiles } from './explained.js'
import { explainChart } from './chart.js'
import { scoreCharts } from './score_charts.js'
import { evaluatedTables } from './evaluation.js'
import type { TextTable } from './tables.js'
import { escaped } from '../output/svg.js'

const STYLE = `
  :root { --page: #fff; }
  body { margin: 0 auto; max-width: 1100px; padding: 2rem 1.25rem 4rem; color: #222; background: var(--page); font: 16px/1.55 system-ui, sans-serif; }
  p { overflow-wrap: anywhere; } h1 { font-size: 1.5rem; } h2 { font-size: 1.05rem; margin: 2.2rem 0 .4rem; } svg { max-width: 100%; height: auto; }
  .scroll { overflow-x: auto; } table { border-collapse: collapse; font-size: .85rem; font-variant-numeric: tabular-nums; }
  th, td { padding: .25rem .5rem; text-align: right; border-bottom: 1px solid #e6e6e6; white-space: nowrap; }
  thead > tr > * { border-bottom: 2px solid #bbb; } .text { text-align: left; padding-left: 0; }
  .charts { display: flex; flex-wrap: wrap; gap: 1rem 2rem; } figure { flex: 1 1 380px; max-width: 520px; margin: 0; } figcaption { font-size: .85rem; }
  .scroll svg { min-width: 720px; } .scroll:focus-visible { outline: 3px solid #0072b2; outline-offset: 2px; }
  /* A shadow where there is more to the right */
  .scroll { background: linear-gradient(to left, var(--page) 2rem, transparent) right / 2rem 100% no-repeat local, linear-gradient(to left, #8888, transparent) right / 1rem 100% no-repeat scroll; }
  .reading { font-size: 1.1rem; }
  @media (prefers-color-scheme: dark) {
    :root { --page: #171717; }
    body { color: #ddd; } th, td, thead > tr > * { border-color: #444; }
    /* White paper turned dark, colours as they were */
    svg { filter: invert(.91) hue-rotate(180deg); }
  }`

export function explainPage(explained: EvaluatedFiles): string {
  const { notes, summary, tables } = evaluatedTables(explained)
  const sentences = notes.filter((note) => note !== explained.reading)
  return `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><meta name="color-scheme" content="light dark"><title>Which examples have the loss: ${escaped(explained.file)}</title>
<style>${STYLE}</style></head>
<body>
<main>
<h1>Which examples have the loss</h1>
<p class="reading">${escaped(explained.reading)}</p>
${[...sentences, summary].map((sentence) => `<p>${escaped(sentence)}</p>`).join('\n')}
<h2>Cumulative loss, and shares by p_t</h2>
<p>Above: examples sorted by loss, and the cumulative sum. A curve near the lower right corner means that a few examples have nearly all of the loss. Below: the share of each bin of p_t, the predicted probability of the true class.</p>
${explained.losses[0].negatives.count > 0 ? scroll('Cumulative loss, and shares by p_t', explainChart(explained)) : `<figure>${explainChart(explained)}</figure>`}
<h2>Scores: calibration, precision, recall and thresholds</h2>
<div class="charts">${scoreCharts(explained.evaluation.scores).map(({ svg, caption }) => `<figure>${svg}<figcaption>${escaped(caption)}</figcaption></figure>`).join('\n')}</div>
${tables.map(tableHtml).join('\n')}
</main>
</body>
</html>
`
}

function tableHtml({ title, head, rows, left }: TextTable): string {
  const cell = (content: string, i: number, tag: 'th' | 'td') => `<${tag}${i < left ? ' class="text"' : ''}>${escaped(content)}</${tag}>`
  // A corner without words heads nothing
  const line = (cells: readonly string[], tag: 'th' | 'td') => `<tr>${cells.map((content, i) => cell(content, i, content === '' ? 'td' : tag)).join('')}</tr>`
  return `<h2>${escaped(title)}</h2>
${scroll(title, `<table><thead>${line(head, 'th')}</thead><tbody>${rows.map((cells) => line(cells, 'td')).join('')}</tbody></table>`)}`
}

/** Scrolls sideways where it does not fit, by keys too. */
function scroll(name: string, content: string): string {
  return `<div class="scroll" role="region" tabindex="0" aria-label="${escaped(name)}">${content}</div>`
}
