/** What a markdown page says is elsewhere in the repository. */
import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { anchorsOf, linksOf } from '../../scripts/pages.mjs'

const root = fileURLToPath(new URL('../../', import.meta.url))

/** Links to files that are not there, or to headings that their page does not have. */
export function brokenLinks(page: string, markdown: string): string[] {
  return linksOf(page, markdown).flatMap(({ target, anchor }) => {
    if (!existsSync(root + target)) return [target]
    return anchor === '' || anchorsOf(readFileSync(root + target, 'utf8')).has(anchor) ? [] : [`${target}#${anchor}`]
  })
}

/** Files and folders of the repository that are named as code and are not there. */
export function missingFiles(markdown: string): string[] {
  const named = markdown.matchAll(/`((?:\.ci|bench|binding|cpp|docs|examples|playground|scripts|src|test|wasm)\/[\w./-]*)`/g)
  return Array.from(named, ([, path]) => path).filter((path) => !existsSync(root + path))
}
