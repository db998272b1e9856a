/** The pages of docs, and CONTRIBUTING, as HTML beside the page: it links to them wherever it is served, `file://` included. */
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import MarkdownIt from 'markdown-it'

type Token = ReturnType<MarkdownIt['parse']>[number]

const docs = fileURLToPath(new URL('../docs/', import.meta.url))
const contributing = fileURLToPath(new URL('../CONTRIBUTING.md', import.meta.url))

/** Writes `FOLDER/docs/*.html`. */
export function writeDocs(folder: string): void {
  const into = join(folder, 'docs')
  mkdirSync(into, { recursive: true })
  for (const name of readdirSync(docs)) if (name.endsWith('.md')) writePage(into, join(docs, name), `${basename(name, '.md')}.html`)
  writePage(into, contributing, 'contributing.html')
}

function writePage(into: string, source: string, name: string): void {
  const markdown = new MarkdownIt({ html: false, linkify: false })
  const tokens = markdown.parse(readFileSync(source, 'utf8'), {})
  for (const [i, token] of tokens.entries()) {
    if (token.type === 'heading_open') token.attrSet('id', slugOf(tokens[i + 1].content))
    for (const child of token.children ?? []) relink(child, dirname(source), into)
  }
  const title = tokens[tokens.findIndex(({ type }) => type === 'heading_open') + 1].content
  writeFileSync(join(into, name), pageOf(title, markdown.renderer.render(tokens, { html: false }, {})))
}

/** Pages become HTML, pictures come along, and what is not published is no link. */
function relink(token: Token, from: string, into: string): void {
  const attribute = token.type === 'link_open' ? 'href' : 'src'
  const target = token.attrGet(attribute)
  if (target === null || /^[a-z]+:|^#/.test(target)) return
  const [path, hash] = target.split('#')
  const file = join(from, path)
  const anchor = hash === undefined ? '' : `#${hash}`
  if (file === contributing) token.attrSet(attribute, `contributing.html${anchor}`)
  else if (dirname(file) === dirname(join(docs, 'x')) && path.endsWith('.md') && existsSync(file)) token.attrSet(attribute, `${basename(path, '.md')}.html${anchor}`)
  else if (attribute === 'src') {
    mkdirSync(dirname(join(into, path)), { recursive: true })
    cpSync(file, join(into, path))
  } else token.attrs = []
}

/** As GitHub names the anchors of headings. */
function slugOf(heading: string): string {
  return heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N} _-]/gu, '')
    .replaceAll(' ', '-')
}

function pageOf(title: string, body: string): string {
  return `<!doctype html>
<html lang="en-GB">
  <head>
    <meta charset="utf-8" />
    <meta name="viewport" content="width=device-width, initial-scale=1" />
    <meta name="color-scheme" content="light dark" />
    <title>${title.replace(/[`<>&]/g, '')} · focal-loss</title>
    <link rel="stylesheet" href="../playground.css" />
  </head>
  <body class="docs">
    <nav aria-label="Pages"><ol><li><a href="../index.html">What focal loss does</a></li><li><a href="README.html">All pages</a></li></ol></nav>
    <main>
${body.replaceAll('<table>', '<div class="scroll" role="region" tabindex="0" aria-label="Table"><table>').replaceAll('</table>', '</table></div>')}
    </main>
  </body>
</html>
`
}
