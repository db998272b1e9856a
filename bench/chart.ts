/** The chart of docs/performance.md: logits in a call against nanoseconds per logit, both logarithmic. */
import { parse, View } from 'vega'
import { compile } from 'vega-lite'
import type { Row } from './run.js'

/** Ours in solid lines, so that they stand out among the many. */
export async function chart(rows: readonly Row[]): Promise<string> {
  const values = shown(rows).map(({ who, role, elements, nanosecondsPerElement }) => ({ who, role, elements, ns: nanosecondsPerElement }))
  const order = [...new Set(values.map(({ who }) => who))]
  const spec = compile({
    width: 620,
    height: 400,
    background: '#ffffff',
    config: { font: 'system-ui, sans-serif', view: { stroke: 'transparent' }, axis: { gridColor: '#ececec', titleFontWeight: 'normal' } },
    title: {
      text: 'Sigmoid focal loss and gradient, float32: nanoseconds per logit (lower is better)',
      subtitle: 'solid: focal-loss, class indices; dotted: memcpy of the logits; dashed: others, on what they take',
    },
    data: { values },
    mark: { type: 'line', point: true, strokeWidth: 2 },
    encoding: {
      x: decades('elements', 'logits in a call', '~s', values.map(({ elements }) => elements)),
      y: decades('ns', 'nanoseconds per logit', ',~g', values.map(({ ns }) => ns)),
      color: {
        field: 'who',
        type: 'nominal',
        title: null,
        scale: { domain: order, scheme: 'tableau20' },
        legend: { labelLimit: 320, symbolType: 'stroke' },
      },
      strokeDash: {
        field: 'role',
        type: 'nominal',
        legend: null,
        scale: { domain: ['ours', 'memcpy', 'peer'], range: [[1, 0], [2, 2], [6, 3]] },
      },
    },
  })
  const view = new View(parse(spec.spec), { renderer: 'none' })
  const svg = await view.toSVG()
  view.finalize()
  return svg
}

/** A logarithmic axis with a tick at each power of ten. */
function decades(field: string, title: string, format: string, values: readonly number[]) {
  const low = Math.floor(Math.log10(Math.min(...values)))
  const high = Math.ceil(Math.log10(Math.max(...values)))
  const ticks = Array.from({ length: high - low + 1 }, (_, step) => 10 ** (low + step))
  return { field, title, type: 'quantitative', scale: { type: 'log' }, axis: { format, values: ticks } } as const
}

/** Ours and memcpy on class indices (or what else was timed first), peers on what they take. */
function shown(rows: readonly Row[]): Row[] {
  const loss = rows.some((row) => row.loss === 'sigmoid') ? 'sigmoid' : rows[0]?.loss
  return rows.filter((row) => row.dtype === 'float32' && row.who !== 'auto' && (row.role === 'peer' || row.loss === loss))
}
