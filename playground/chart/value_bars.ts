/** A bar and a number for each of a few things, all to one scale that starts at 0. */
import { h } from '../ui/dom.js'

export interface Valued {
  readonly name: string
  /** At least 0. */
  readonly value: number
}

export interface ValueBars {
  readonly element: HTMLElement
  show(values: readonly Valued[], format: (value: number) => string): void
}

export function valueBars(id: string, title: string): ValueBars {
  const list = h('dl', { id, class: 'value-bars' })
  return {
    element: h('figure', { class: 'chart-box' }, h('figcaption', {}, title), list),
    show(values, format) {
      const largest = Math.max(...values.map(({ value }) => value))
      const widthOf = (value: number) => (largest > 0 ? (100 * value) / largest : 0)
      list.replaceChildren(
        ...values.flatMap(({ name, value }) => [
          h('dt', {}, name),
          h('dd', {}, h('span', { class: 'value-bar', 'aria-hidden': 'true' }, h('i', { style: `width: ${widthOf(value)}%` })), h('b', {}, format(value))),
        ]),
      )
    },
  }
}
