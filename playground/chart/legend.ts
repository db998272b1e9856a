/** The legend, with the values at the reading line: a table, so that nothing moves while it is read. */
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

/** The lines alone, in a few rows: for small screens, where the legend is further away. */
export interface Key {
  readonly element: HTMLElement
  show(lines: readonly Pick<LegendRow, 'name' | 'look'>[]): void
}

export function key(): Key {
  const element = h('p', { class: 'key', 'aria-hidden': 'true' })
  return { element, show: (lines) => element.replaceChildren(...lines.map(({ name, look }) => h('span', { class: 'series' }, swatch(look), name))) }
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
