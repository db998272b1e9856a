/** What lines mean, and what they say where the reading line is: a table, so that nothing moves as it is read. */
import { h } from '../ui/dom.js'
import { type Table, table } from '../ui/table.js'
import { type Look, swatch } from './series.js'

export interface LegendRow {
  readonly name: string
  readonly look: Look
  readonly values: readonly string[]
}

export interface Legend {
  readonly element: HTMLElement
  show(caption: string, columns: readonly string[], rows: readonly LegendRow[]): void
}

/** `what` heads the names. */
export function legend(id: string, what = 'loss'): Legend {
  const inner: Table = table(id)
  inner.element.classList.add('legend')
  return {
    element: inner.element,
    show(caption, columns, rows) {
      inner.show({
        caption,
        head: [what, ...columns],
        rows: rows.map(({ name, look, values }) => [h('span', { class: 'series' }, swatch(look), name), ...values]),
      })
    },
  }
}
