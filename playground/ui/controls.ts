/** Labelled controls. Each has an id that tests and links know, and shows its value beside its label. */
import { type Child, h, uniqueId } from './dom.js'

export interface Control<T> {
  readonly element: HTMLElement
  /** Shows a value, without calling back. */
  show(value: T): void
}

interface Described {
  /** Unique in the page. */
  readonly id: string
  readonly label: string
  /** A sentence below the control. */
  readonly hint?: string
}

export interface SliderOptions extends Described {
  readonly min: number
  readonly max: number
  readonly step: number
  /** What stands beside the label, and what a screen reader says. */
  readonly format: (value: number) => string
  readonly changed: (value: number) => void
}

export interface Slider extends Control<number> {
  /** `text` where the slider's own place is not all that there is to say. */
  show(value: number, text?: string): void
  disable(off: boolean): void
}

export function slider({ id, label, hint, min, max, step, format, changed }: SliderOptions): Slider {
  const input = h('input', { type: 'range', id, min, max, step })
  const output = h('output', { for: id, class: 'value' })
  const describe = (value: number, text = format(value)) => {
    output.textContent = text
    input.setAttribute('aria-valuetext', text)
  }
  input.addEventListener('input', () => {
    describe(input.valueAsNumber)
    changed(input.valueAsNumber)
  })
  return {
    element: field(id, label, [output], [input], hint),
    show(value, text) {
      input.valueAsNumber = value
      describe(value, text)
    },
    disable(off) {
      input.disabled = off
    },
  }
}

export interface CheckboxOptions extends Described {
  readonly changed: (on: boolean) => void
}

export function checkbox({ id, label, changed }: CheckboxOptions): Control<boolean> {
  const input = h('input', { type: 'checkbox', id })
  input.addEventListener('change', () => changed(input.checked))
  return {
    element: h('label', { class: 'check', for: id }, input, label),
    show: (on) => (input.checked = on),
  }
}

export interface Option<T extends string> {
  readonly value: T
  readonly label: string
}

export interface ChoiceOptions<T extends string> extends Described {
  readonly options: readonly Option<T>[]
  readonly changed: (value: T) => void
}

/** One of a few, all visible. */
export function radios<T extends string>({ id, label, options, changed }: ChoiceOptions<T>): Control<T> {
  const inputs = options.map(({ value }) => h('input', { type: 'radio', name: id, id: `${id}-${value}`, value }))
  inputs.forEach((input, i) => input.addEventListener('change', () => changed(options[i].value)))
  const pairs = options.map((option, i) => h('span', {}, inputs[i], h('label', { for: inputs[i].id }, option.label)))
  return {
    element: h('fieldset', { class: 'radios', id }, h('legend', {}, label), h('div', { class: 'segments' }, ...pairs)),
    show: (value) => inputs.forEach((input) => (input.checked = input.value === value)),
  }
}

/** One of many. */
export function select<T extends string>({ id, label, hint, options, changed }: ChoiceOptions<T>): Control<T> {
  const input = h('select', { id }, ...options.map(({ value, label: text }) => h('option', { value }, text)))
  input.addEventListener('change', () => changed(options[input.selectedIndex].value))
  return { element: field(id, label, [], [input], hint), show: (value) => (input.value = value) }
}

export interface ManyOptions extends Described {
  readonly options: readonly number[]
  readonly changed: (chosen: readonly number[]) => void
}

/** Any of a few numbers. */
export function numberChecks({ id, label, options, changed }: ManyOptions): Control<readonly number[]> {
  const inputs = options.map((value) => h('input', { type: 'checkbox', id: `${id}-${value}`, value }))
  const chosen = () => options.filter((_, i) => inputs[i].checked)
  for (const input of inputs) input.addEventListener('change', () => changed(chosen()))
  const chips = inputs.map((input, i) => h('label', { class: 'chip' }, input, String(options[i])))
  return {
    element: h('fieldset', { class: 'radios', id }, h('legend', {}, label), h('div', { class: 'chips' }, ...chips)),
    show: (values) => inputs.forEach((input, i) => (input.checked = values.includes(options[i]))),
  }
}

export function button(id: string, label: string, pressed: () => void, kind: 'plain' | 'primary' = 'plain'): HTMLButtonElement {
  const element = h('button', { type: 'button', id, class: kind }, label)
  element.addEventListener('click', pressed)
  return element
}

function field(id: string, label: string, beside: readonly Child[], below: readonly HTMLElement[], hint?: string): HTMLElement {
  const hintId = uniqueId('hint')
  if (hint !== undefined) for (const element of below) element.setAttribute('aria-describedby', hintId)
  return h(
    'div',
    { class: 'field' },
    h('div', { class: 'field-head' }, h('label', { for: id }, label), ...beside),
    ...below,
    ...(hint === undefined ? [] : [h('p', { class: 'hint', id: hintId }, hint)]),
  )
}

export interface Controls {
  /** What is always there, before all else. */
  readonly first?: readonly HTMLElement[]
  /** What stays in view as the panel is read. */
  readonly kept: HTMLElement
  /** On a small screen behind a click. */
  readonly more: readonly HTMLElement[]
}

/** The controls of a panel: beside it, or on a small screen above. */
export function controlsOfPanel({ first = [], kept, more }: Controls): HTMLElement {
  const rest = h('details', { class: 'more' }, h('summary', {}, 'More settings'), h('div', { class: 'more-controls' }, ...more))
  const wide = matchMedia('(min-width: 60rem)')
  const unfold = () => (rest.open = wide.matches)
  unfold()
  wide.addEventListener('change', unfold)
  return h('div', { class: 'beside' }, h('div', { class: 'controls' }, ...first, h('div', { class: 'kept' }, kept), rest))
}
