/** Tables that scroll sideways where they do not fit, and say so. */
import { type Child, h, onWidth } from './dom.js'

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
  const scroll = h('div', { class: 'scroll', role: 'region', tabindex: 0 }, inner)
  const hint = h('p', { class: 'scroll-hint', 'aria-hidden': 'true', hidden: true }, 'More to the right: scroll →')
  const element = h('div', { hidden: true }, scroll, hint)
  const showHint = () => (hint.hidden = scroll.scrollLeft + scroll.clientWidth >= scroll.scrollWidth - 1)
  scroll.addEventListener('scroll', showHint)
  onWidth(scroll, showHint)
  return {
    element,
    show({ caption, head, rows }) {
      element.hidden = false
      scroll.setAttribute('aria-label', caption)
      inner.replaceChildren(
        h('caption', {}, h('span', {}, caption)),
        h('thead', {}, h('tr', {}, ...head.map((cell) => h('th', { scope: 'col' }, cell)))),
        h('tbody', {}, ...rows.map(([first, ...cells]) => h('tr', {}, h('th', { scope: 'row' }, first), ...cells.map((cell) => h('td', {}, cell))))),
      )
      showHint()
    },
  }
}
