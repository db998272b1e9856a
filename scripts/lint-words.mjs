/** Fails where a page, a docstring or a message has a phrase of scripts/words.json, or where a sentence of a page is too long. */
import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import words from './words.json' with { type: 'json' }

const root = fileURLToPath(new URL('..', import.meta.url))
const filesIn = (folder, kind) => readdirSync(root + folder, { recursive: true, encoding: 'utf8' }).flatMap((name) => (kind.test(name) ? [`${folder}/${name}`] : []))
const files = ['README.md', 'CONTRIBUTING.md', 'CHANGELOG.md', ...filesIn('docs', /^(?!api).*\.md$/), ...filesIn('examples', /\.(md|ts|mjs)$/), ...filesIn('src', /(?<!generated)\.ts$/), ...filesIn('playground', /\.(ts|html)$/)]

/** Phrases that are there, however their line is broken. */
export function phrasesIn(text, phrases) {
  const plain = text.replace(/\s*\n\s*(?:\*|\/\/)?\s*/g, ' ').toLowerCase()
  return Object.keys(phrases).filter((phrase) => new RegExp(`\\b${phrase.replace(/\W/g, (sign) => `\\${sign}`)}\\b`).test(plain))
}

/** Sentences of a page's prose with more words than that; code is one word, and a cell of a table ends a sentence. */
export function longSentences(markdown, limit) {
  const prose = markdown
    .replace(/^[ \t]*```[\s\S]*?^[ \t]*```$/gm, '\n\n')
    .replace(/`[^`]*`/g, 'Code')
    .replace(/!?\[([^\]]*)\]\([^)]*\)/g, '$1')
    .replace(/^(?: {4}.*|\|[-|: ]+\|)$/gm, '')
  const paragraphs = prose.split(/\n\s*\n|\n(?=\s*(?:[-#|]|\d+\.) ?)|\|/)
  const segmenter = new Intl.Segmenter('en', { granularity: 'sentence' })
  const sentences = paragraphs.flatMap((paragraph) => Array.from(segmenter.segment(paragraph.replace(/\s+/g, ' ')), ({ segment }) => segment.trim()))
  return sentences.filter((sentence) => sentence.split(' ').filter((word) => /[\p{L}\d]/u.test(word)).length > limit)
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const problems = files.flatMap((file) => {
    const text = readFileSync(root + file, 'utf8')
    const { words: limit } = words.sentences
    const long = file.endsWith('.md') ? longSentences(text, limit).map((sentence) => `a sentence of more than ${limit} words: ${sentence}`) : []
    return [...phrasesIn(text, words.phrases).map((phrase) => `"${phrase}"; say: ${words.phrases[phrase]}`), ...long].map((problem) => `${file}: ${problem}`)
  })
  if (problems.length > 0) {
    console.error(problems.map((problem) => `lint-words: ${problem}`).join('\n'))
    process.exit(1)
  }
}
