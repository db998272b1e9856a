/** The links of markdown pages: what they lead to, and how they are made to lead elsewhere. */
import { posix } from 'node:path'

/** Not those that begin with a scheme. */
const relative = /\]\((?!\w+:)([^)#\s]*)(#[^)\s]*)?\)/g

/** Of a page at this path: files from the package's root, and anchors without `#`. */
export function linksOf(page, markdown) {
  return Array.from(markdown.matchAll(relative), ([, path, anchor = '']) => ({ target: targetOf(page, path), anchor: anchor.slice(1) }))
}

/** Links to what is not packed, as addresses of a version in a repository. */
export function withAddresses(page, markdown, isPacked, repository, version) {
  return markdown.replace(relative, (link, path, anchor = '') => {
    const target = targetOf(page, path)
    if (isPacked(target)) return link
    return `](${repository}/${/\.(png|svg)$/.test(target) ? 'raw' : 'blob'}/v${version}/${target}${anchor})`
  })
}

/** Headings' anchors, as GitHub makes them, and those that stand in the page. */
export function anchorsOf(markdown) {
  const anchors = new Set(Array.from(markdown.matchAll(/<a id="([^"]+)">/g), ([, id]) => id))
  for (const [, heading] of markdown.matchAll(/^#+ (.+)$/gm)) {
    const text = heading.replace(/\[([^\]]*)\]\([^)]*\)/g, '$1').toLowerCase()
    const slug = text.replace(/[^\p{L}\p{N}_ -]/gu, '').replace(/ /g, '-')
    let anchor = slug
    for (let i = 1; anchors.has(anchor); i++) anchor = `${slug}-${i}`
    anchors.add(anchor)
  }
  return anchors
}

function targetOf(page, path) {
  return path === '' ? page : posix.join(posix.dirname(page), path)
}
