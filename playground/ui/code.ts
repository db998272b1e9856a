/** Code for the settings on the screen, in three languages, to be copied. */
import { button, radios } from './controls.js'
import { h } from './dom.js'

export const languages = ['node', 'tfjs', 'pytorch'] as const
export type Language = (typeof languages)[number]
export type Code = Readonly<Record<Language, string>>

export interface CodeBox {
  readonly element: HTMLElement
  show(code: Code): void
}

const names: Readonly<Record<Language, string>> = { node: 'Node.js', tfjs: 'TensorFlow.js', pytorch: 'PyTorch' }

export function codeBox(panel: string): CodeBox {
  let shown: Code | undefined
  let language: Language = 'node'
  const text = h('code', { id: `${panel}-code` })
  const draw = () => (text.textContent = shown?.[language] ?? '')
  const choice = radios<Language>({
    id: `${panel}-language`,
    label: 'In the language of',
    options: languages.map((value) => ({ value, label: names[value] })),
    changed: (value) => {
      language = value
      draw()
    },
  })
  choice.show(language)
  const copy = copyButton(`${panel}-copy`, 'Copy', text)
  return {
    element: h(
      'details',
      { class: 'code below', id: `${panel}-as-code` },
      h('summary', {}, 'Copy as code'),
      h('div', { class: 'code-head' }, choice.element, copy),
      h('pre', { tabindex: 0, role: 'region', 'aria-label': `Code, ${panel}` }, text),
    ),
    show(code) {
      shown = code
      draw()
    },
  }
}

/** Where the clipboard is refused, the text is selected, ready to be copied by hand. */
export function copyButton(id: string, label: string, from: HTMLElement): HTMLButtonElement {
  const said = button(id, label, () => void copy())
  said.setAttribute('aria-live', 'polite')
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(from instanceof HTMLTextAreaElement ? from.value : (from.textContent ?? ''))
      said.textContent = 'Copied'
    } catch {
      getSelection()?.selectAllChildren(from)
      if (from instanceof HTMLTextAreaElement) from.select()
      said.textContent = 'Selected: copy it'
    }
    setTimeout(() => (said.textContent = label), 2000)
  }
  return said
}
