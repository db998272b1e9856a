/** The page around the panels: title, contents, the choice of light or dark, and the foot. */
import { button, radios } from '../ui/controls.js'
import { h } from '../ui/dom.js'
import { describeKernel } from './kernel.js'
import { markCurrent } from './navigation.js'
import { type PanelEntry, panels } from './panels.js'
import { applySettings, choice, createStore, followAddress } from './store.js'

type Theme = 'auto' | 'light' | 'dark'

export function buildPage(): void {
  const store = createStore<{ theme: Theme; panel: string }>('page', {
    theme: choice<Theme>('auto', 'light', 'dark'),
    panel: choice('', ...panels.map(({ id }) => id)),
  })
  const theme = radios<Theme>({ id: 'theme', label: 'Colours', options: (['auto', 'light', 'dark'] as const).map((value) => ({ value, label: value })), changed: (value) => store.set({ theme: value }) })
  const links = panels.map(({ id, title }) => {
    const link = h('a', { href: `#${id}` }, title)
    link.addEventListener('click', (event) => {
      event.preventDefault()
      store.set({ panel: id })
      goTo(id)
    })
    return link
  })
  const sections = panels.map(section)
  document.body.append(
    h(
      'header',
      {},
      h('h1', {}, 'What focal loss does'),
      h('p', { class: 'lead' }, 'Focal loss down-weights easy examples, so that many easy ones do not outweigh a few hard ones. See when that helps, and when it does not.'),
    ),
    h('nav', { 'aria-label': 'Panels' }, h('ol', {}, ...links.map((link) => h('li', {}, link)))),
    h('main', {}, ...sections),
    foot(theme.element),
  )
  markCurrent(sections, links)
  store.watch((values) => {
    theme.show(values.theme)
    if (values.theme === 'auto') delete document.documentElement.dataset.theme
    else document.documentElement.dataset.theme = values.theme
  })
  followAddress()
  if (store.values.panel !== '') requestAnimationFrame(() => goTo(store.values.panel))
}

function section({ id, title, look, formula, tries, docs, paper, mount }: PanelEntry, index: number): HTMLElement {
  const body = h('div', { class: 'panel-body' })
  const heading = h('h2', { id: `${id}-title`, tabindex: -1 }, h('span', { class: 'number', 'aria-hidden': 'true' }, String(index + 1)), title)
  mount(body)
  return h(
    'section',
    { id, 'aria-labelledby': `${id}-title` },
    h('div', { class: 'panel-head' }, h('div', {}, heading, h('p', { class: 'look' }, look)), h('div', { class: 'formula' }, formula())),
    body,
    h(
      'div',
      { class: 'panel-foot' },
      h('h3', {}, 'Try'),
      h('div', { class: 'buttons' }, ...tries.map(({ text, settings }, i) => button(`${id}-try-${i}`, text, () => applySettings(settings)))),
      h('h3', {}, 'Read on'),
      h('ul', { class: 'links' }, h('li', {}, h('a', { href: docsPage(docs.page) }, docs.title)), h('li', {}, h('a', { href: paper.address }, paper.title))),
    ),
  )
}

/** playground/docs.ts puts them beside the page. */
function docsPage(name: string): string {
  return `./docs/${name}.html`
}

function foot(theme: HTMLElement): HTMLElement {
  const links = [
    ['getting-started', 'Getting started'],
    ['quick-reference', 'Quick reference'],
    ['coming-from', 'From PyTorch, Keras, TensorFlow.js'],
    ['README', 'All pages'],
  ].map(([page, title]) => h('a', { href: docsPage(page) }, title))
  return h(
    'footer',
    {},
    h('div', {}, h('h2', {}, 'Install'), h('pre', { tabindex: 0 }, h('code', {}, 'npm install ../focal-loss')), h('p', {}, 'The package is not on the registry yet: install a checkout.'), linkList(h('a', { href: docsPage('installing') }, 'Requirements and installation'))),
    h('div', {}, h('h2', {}, 'Docs'), linkList(...links)),
    h('div', {}, h('h2', {}, 'Source'), h('p', {}, 'C++, CUDA and TypeScript, MIT licence. This page is the folder playground.'), linkList(h('a', { href: './docs/contributing.html' }, 'Code layout'))),
    theme,
    h('p', { id: 'kernel' }, describeKernel()),
    h('p', {}, 'This page sends nothing: your files and settings stay in your browser. The address contains the settings, so a link shows what you see.'),
  )
}

function linkList(...links: readonly HTMLElement[]): HTMLElement {
  return h('ul', { class: 'links' }, ...links.map((link) => h('li', {}, link)))
}

function goTo(id: string): void {
  document.getElementById(id)?.scrollIntoView({ behavior: 'instant' })
  document.getElementById(`${id}-title`)?.focus({ preventScroll: true })
}
