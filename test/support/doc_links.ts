/** What a markdown page says is elsewhere in the repository. */
import { existsSync, readFileSync } from 'node:fs'
import { posix } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../../', import.meta.url))

/** Links to files that are not there, or to headings that their page does not have. */
export function brokenLinks(page: string, markdown: string): string[] {
  const links = markdown.matchAll(/\]\((?!\w+:)([^)#\s]*)#?([^)\s]*)\)/g)
  return Array.from(links, ([, path, anchor]) => {
    const target = path === '' ? page : posix.join(posix.dirname(page), path)
    if (!existsSync(root + target)) return [target]
    return anchor === '' || anchorsOf(readFileSync(root + target, 'utf8')).has(anchor) ? [] : [`${target}#${anchor}`]
  }).flat()
}

/** Files and folders of the repository that are named as code and are not there. */
export function missingFiles(markdown: string): string[] {
  const named = markdown.matchAll(/`((?:\.ci|bench|binding|cpp|docs|examples|playground|scripts|src|test|wasm)\/[\w./-]*)`/g)
  return Array.from(named, ([, path]) => path).filter((path) => !existsSync(root + path))
}

/** Of headings, as GitHub makes them, and those that stand in the page. */
function anchorsOf(markdown: string): Set<string> {
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
