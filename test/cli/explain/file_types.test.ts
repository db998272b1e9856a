/** The pages and the help name the file types that the command line reads. */
import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'

const read = (path: string) => readFileSync(new URL(`../../../${path}`, import.meta.url), 'utf8')
const endingsIn = (text: string) => Array.from(text.matchAll(/\.(npy|npz|safetensors|csv|tsv|txt|parquet|pq|arrows?|ipc|feather)\b/g), ([ending]) => ending)

/** The cases of open.ts, but for pickles, which are refused. */
const opened = Array.from(read('src/cli/explain/files/open.ts').matchAll(/case '(\.\w+)':/g), ([, ending]) => ending).filter((ending) => !/^\.pth?$/.test(ending))

it('docs/explain.md: the table has all of them', () => {
  const rows = [...read('docs/explain.md').matchAll(/^\| (`\..*?) \|/gm)].flatMap(([, cell]) => endingsIn(cell))
  expect(rows.toSorted()).toEqual(opened.toSorted())
})

it('docs/evaluation.md: what can be read in parts, as --threads has it', () => {
  const [told] = /`--part 2\/4` reads [^]*? file\./.exec(read('docs/evaluation.md')) ?? []
  const [help] = /'read an .* file with this many processes'/.exec(read('src/cli/explain/command.ts')) ?? []
  expect(endingsIn(help ?? '').length).toBeGreaterThan(0)
  expect(endingsIn(told ?? '')).toEqual(endingsIn(help ?? ''))
})
