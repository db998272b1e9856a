/** Marks the current panel in the navigation. */

export function markCurrent(sections: readonly HTMLElement[], links: readonly HTMLElement[]): void {
  const visible = new Set<Element>()
  const mark = () => {
    const current = sections.findIndex((section) => visible.has(section))
    links.forEach((link, i) => {
      if (i !== current) link.removeAttribute('aria-current')
      else if (!link.hasAttribute('aria-current')) {
        link.setAttribute('aria-current', 'location')
        reveal(link)
      }
    })
  }
  const observer = new IntersectionObserver(
    (entries) => {
      for (const { target, isIntersecting } of entries) {
        if (isIntersecting) visible.add(target)
        else visible.delete(target)
      }
      mark()
    },
    // What crosses a line a third from the top
    { rootMargin: '-33% 0px -66% 0px' },
  )
  for (const section of sections) observer.observe(section)
}

/** On a phone the contents scroll sideways; the page itself must not move. */
function reveal(link: HTMLElement): void {
  const list = link.closest('ol')
  if (list !== null) list.scrollLeft = link.offsetLeft - (list.clientWidth - link.offsetWidth) / 2
}
