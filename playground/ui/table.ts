/** Tables that scroll sideways where they do not fit. */
import { type Child, h } from './dom.js'

export interface TableContent {
  readonly caption: string
  readonly head: readonly Child[]
  /** The first cell of a row is its heading. */
  readonly rows: readonly (readonly Child[])[]
}

export interface Table {
  readonly element: HTMLElement
  show(content: TableContent): void
}

/** `id` is the table's own; the columns of an even one are equally wide. Nothing is there before the first content. */
export function table(id: string, kind: 'plain' | 'even' = 'plain'): Table {
  const inner = h('table', { id, class: kind })
  const element = h('div', { class: 'scroll', role: 'region', tabindex: 0, hidden: true }, inner)
  return {
    element,
    show({ caption, head, rows }) {
      element.hidden = false
      element.setAttribute('aria-label', caption)
      inner.replaceChildren(
        h('caption', {}, caption),
        h('thead', {}, h('tr', {}, ...head.map((cell) => h('th', { scope: 'col' }, cell)))),
        h('tbody', {}, ...rows.map(([first, ...cells]) => h('tr', {}, h('th', { scope: 'row' }, first), ...cells.map((cell) => h('td', {}, cell))))),
      )
    },
  }
}
