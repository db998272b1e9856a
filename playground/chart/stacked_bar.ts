/** A bar of shares. Each part has a colour and a pattern, and says its share in words below. */
import { h } from '../ui/dom.js'
import { percent } from '../ui/format.js'

export interface BarPart {
  readonly name: string
  readonly share: number
}

export interface StackedBar {
  readonly element: HTMLElement
  show(parts: readonly BarPart[]): void
}

/** `title` stands before the bar. */
export function stackedBar(id: string, title: string): StackedBar {
  const bar = h('div', { class: 'bar', 'aria-hidden': 'true' })
  const words = h('p', { class: 'bar-words' })
  return {
    element: h('div', { class: 'bar-row', id }, h('h4', {}, title), bar, words),
    show(parts) {
      bar.replaceChildren(...parts.map(({ share }, i) => h('span', { class: `part part-${i}`, style: `width: ${100 * share}%` })))
      words.replaceChildren(...parts.map(({ name, share }, i) => h('span', {}, h('i', { class: `part part-${i}`, 'aria-hidden': 'true' }), `${name} `, h('b', {}, percent(share)))))
    },
  }
}
