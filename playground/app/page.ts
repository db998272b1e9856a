/** The page around the panels: title, contents, the choice of light or dark, and the end. */
import { curvePanel } from '../panels/curve/panel.js'
import { imbalancePanel } from '../panels/imbalance/panel.js'
import { trainingPanel } from '../panels/training/panel.js'
import { radios } from '../ui/controls.js'
import { h } from '../ui/dom.js'
import { describeKernel } from './kernel.js'
import { lazyPanel, whenNear } from './lazy.js'
import { choice, createStore, followAddress } from './store.js'

interface PanelEntry {
  readonly id: string
  readonly title: string
  /** Two sentences: what to look at. */
  readonly look: string
  readonly mount: (body: HTMLElement) => void
}

const panels: readonly PanelEntry[] = [
  {
    id: 'curve',
    title: 'The curve',
    look: 'Each line says what one example costs, from hopelessly wrong on the left to surely right on the right. Look at the right half: cross entropy still charges for what is already right, focal loss hardly does.',
    mount: curvePanel,
  },
  {
    id: 'imbalance',
    title: 'The imbalance',
    look: 'The bars divide the total loss, and the total gradient, among a crowd of easy negatives, some hard ones and a few positives. Watch the hatched part, the easy negatives: raise gamma, and it gives way to the examples that can still teach something.',
    mount: imbalancePanel,
  },
  {
    id: 'training',
    title: 'Training',
    look: 'One small network, the same data, weights and batches, three losses: the colour is what each has learned, the line where it decides. Look at the average precision, which needs no threshold, and at how much of a difference is only the threshold.',
    mount: whenNear(trainingPanel),
  },
  {
    id: 'numbers',
    title: 'Your numbers',
    look: 'Give logits and targets of a model of yours, and see who has its loss and its gradient under each gamma. Look at the lower charts: where the negatives with a p\u209c near 1 have much of the whole, easy background does most of the teaching.',
    mount: lazyPanel('numbers'),
  },
  {
    id: 'browser',
    title: 'This browser',
    look: 'How long loss and gradient take here, by the WebAssembly kernel and by plain TypeScript. Look at the distance between the lines, and at how the price of a single call weighs on small ones.',
    mount: lazyPanel('browser'),
  },
]

type Theme = 'auto' | 'light' | 'dark'

export function buildPage(): void {
  const store = createStore<{ theme: Theme; panel: string }>('page', {
    theme: choice<Theme>('auto', 'light', 'dark'),
    panel: choice('', ...panels.map(({ id }) => id)),
  })
  const theme = radios<Theme>({ id: 'theme', label: 'Colours', options: (['auto', 'light', 'dark'] as const).map((value) => ({ value, label: value })), changed: (value) => store.set({ theme: value }) })
  const links = panels.map(({ id, title }) => {
    const link = h('a', { href: `#page.panel=${id}` }, title)
    link.addEventListener('click', (event) => {
      event.preventDefault()
      store.set({ panel: id })
      goTo(id)
    })
    return h('li', {}, link)
  })
  document.body.append(
    h(
      'header',
      {},
      h('div', { class: 'title' }, h('h1', {}, 'What focal loss does'), theme.element),
      h(
        'p',
        { class: 'lead' },
        'A detector looks at a hundred thousand places and finds a handful of objects. Cross entropy adds up so many small costs of easy background that they drown the few examples that matter; focal loss turns them down. This page lets you see when that helps, and when it does not.',
      ),
    ),
    h('nav', { 'aria-label': 'Panels' }, h('ol', {}, ...links)),
    h('main', {}, ...panels.map(section)),
    h('footer', {}, h('p', { id: 'kernel' }, describeKernel()), h('p', {}, 'Nothing you do here leaves this page: it asks no server for anything. The address holds your settings, so a link shows the same.')),
  )
  store.watch((values) => {
    theme.show(values.theme)
    if (values.theme === 'auto') delete document.documentElement.dataset.theme
    else document.documentElement.dataset.theme = values.theme
  })
  followAddress()
  if (store.values.panel !== '') requestAnimationFrame(() => goTo(store.values.panel))
}

function section({ id, title, look, mount }: PanelEntry, index: number): HTMLElement {
  const body = h('div', { class: 'panel-body' })
  const heading = h('h2', { id: `${id}-title`, tabindex: -1 }, h('span', { class: 'number', 'aria-hidden': 'true' }, String(index + 1)), title)
  mount(body)
  return h('section', { id, 'aria-labelledby': `${id}-title` }, heading, h('p', { class: 'look' }, look), body)
}

function goTo(id: string): void {
  document.getElementById(id)?.scrollIntoView({ behavior: 'instant' })
  document.getElementById(`${id}-title`)?.focus({ preventScroll: true })
}
