/** Panels further down the page: their scripts are loaded when they scroll into view. */
import type * as library from 'focal-loss'
import { h } from '../ui/dom.js'
import { kernelName } from './kernel.js'
import { createStore } from './store.js'

/** What the first script shares with later ones. */
export interface Shared {
  readonly library: typeof library
  readonly createStore: typeof createStore
  readonly kernelName: typeof kernelName
  /** What later scripts bring, by name. */
  readonly panels: Record<string, (body: HTMLElement, shared: Shared) => void>
}

declare global {
  var playground: Shared
}

/** Mounts once the body is about to be seen. */
function whenNear(mount: (body: HTMLElement) => void): (body: HTMLElement) => void {
  return (body) => {
    body.classList.add('waiting')
    const observer = new IntersectionObserver(
      (entries) => {
        if (!entries.some(({ isIntersecting }) => isIntersecting)) return
        observer.disconnect()
        body.classList.remove('waiting')
        mount(body)
      },
      { rootMargin: '400px' },
    )
    observer.observe(body)
  }
}

/** A panel in a script of its own, beside the page. */
export function lazyPanel(name: string): (body: HTMLElement) => void {
  return whenNear((body) => {
    const script = h('script', { src: `./panel-${name}.js` })
    script.addEventListener('load', () => globalThis.playground.panels[name](body, globalThis.playground))
    script.addEventListener('error', () => body.append(h('p', { class: 'problem', role: 'alert' }, `This panel's script, panel-${name}.js, is missing beside the page.`)))
    document.head.append(script)
  })
}
