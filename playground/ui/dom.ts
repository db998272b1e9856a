/** Creates elements in one call, so that the page needs no framework. */

export type Child = Node | string
type Attribute = string | number | boolean | undefined
export type Attributes = Readonly<Record<string, Attribute>>

const SVG = 'http://www.w3.org/2000/svg'

export function h<K extends keyof HTMLElementTagNameMap>(tag: K, attributes: Attributes = {}, ...children: readonly Child[]): HTMLElementTagNameMap[K] {
  return furnish(document.createElement(tag), attributes, children)
}

export function svg<K extends keyof SVGElementTagNameMap>(tag: K, attributes: Attributes = {}, ...children: readonly Child[]): SVGElementTagNameMap[K] {
  return furnish(document.createElementNS(SVG, tag), attributes, children)
}

/** `true` is an attribute without a value; `false` and `undefined` are none. */
function furnish<E extends Element>(element: E, attributes: Attributes, children: readonly Child[]): E {
  for (const [name, value] of Object.entries(attributes)) setAttribute(element, name, value)
  element.append(...children)
  return element
}

export function setAttribute(element: Element, name: string, value: Attribute): void {
  if (value === undefined || value === false) element.removeAttribute(name)
  else element.setAttribute(name, value === true ? '' : String(value))
}

let ids = 0

/** For labels and descriptions. */
export function uniqueId(what: string): string {
  return `${what}-${++ids}`
}

/** Calls back with the width of an element, now and whenever it changes. */
export function onWidth(element: Element, changed: (width: number) => void): void {
  let last = 0
  new ResizeObserver(() => {
    const width = Math.floor(element.clientWidth)
    if (width === last || width === 0) return
    last = width
    changed(width)
  }).observe(element)
}

/** At most once a frame, however often it is asked for. */
export function oncePerFrame(draw: () => void): () => void {
  let asked = false
  return () => {
    if (asked) return
    asked = true
    requestAnimationFrame(() => {
      asked = false
      draw()
    })
  }
}
