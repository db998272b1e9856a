/** What was explained, as one page that needs nothing but itself. */
import type { EvaluatedFiles } from './explained.js'
import { explainChart } from './chart.js'
import { scoreCharts } from './score_charts.js'
import { evaluatedTables } from './evaluation.js'
import type { TextTable } from './tables.js'
import { escaped } from '../output/svg.js'

const STYLE = `
  body { margin: 0 auto; max-width: 1000px; padding: 2rem 1.25rem 4rem; color: #222; background: #fff; font: 16px/1.55 system-ui, sans-serif; }
  h1 { font-size: 1.5rem; } h2 { font-size: 1.05rem; margin: 2.2rem 0 .4rem; } svg { max-width: 100%; height: auto; }
  .scroll { overflow-x: auto; } table { border-collapse: collapse; font-size: .85rem; font-variant-numeric: tabular-nums; }
  th, td { padding: .25rem .7rem; text-align: right; border-bottom: 1px solid #e6e6e6; white-space: nowrap; }
  th { border-bottom: 2px solid #bbb; } .text { text-align: left; padding-left: 0; }
  .charts { display: flex; flex-wrap: wrap; gap: 1rem 2rem; } figure { flex: 1 1 300px; max-width: 420px; margin: 0; } figcaption { font-size: .85rem; }
  .scroll svg { min-width: 560px; } .reading { font-size: 1.1rem; }
  @media (prefers-color-scheme: dark) {
    body { color: #ddd; background: #16181b; } th, td { border-color: #333; }
    /* White paper turned dark, colours as they were */
    svg { filter: invert(.91) hue-rotate(180deg); }
  }`

export function explainPage(explained: EvaluatedFiles): string {
  const { notes, summary, tables } = evaluatedTables(explained)
  const sentences = notes.filter((note) => note !== explained.reading)
  return `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><meta name="color-scheme" content="light dark"><title>Where the loss goes: ${escaped(explained.file)}</title>
<style>${STYLE}</style></head>
<body>
<h1>Where the loss goes</h1>
<p class="reading">${escaped(explained.reading)}</p>
${[...sentences, summary].map((sentence) => `<p>${escaped(sentence)}</p>`).join('\n')}
<h2>Where loss and gradient go</h2>
<p>Above: examples sorted by loss, and how the sum of their losses builds up; a curve near the lower right corner means that a few examples have nearly all. Below: the share of each bin of p_t, the predicted probability of the true class.</p>
<div class="scroll">${explainChart(explained)}</div>
<h2>How good the scores are, and where to say yes</h2>
<div class="charts">${scoreCharts(explained.evaluation.scores).map(({ svg, caption }) => `<figure>${svg}<figcaption>${escaped(caption)}</figcaption></figure>`).join('\n')}</div>
${tables.map(tableHtml).join('\n')}
</body>
</html>
`
}

function tableHtml({ title, head, rows, left }: TextTable): string {
  const line = (cells: readonly string[], tag: 'th' | 'td') =>
    `<tr>${cells.map((cell, i) => `<${tag}${i < left ? ' class="text"' : ''}>${escaped(cell)}</${tag}>`).join('')}</tr>`
  return `<h2>${escaped(title)}</h2>
<div class="scroll"><table><thead>${line(head, 'th')}</thead><tbody>${rows.map((cells) => line(cells, 'td')).join('')}</tbody></table></div>`
}
