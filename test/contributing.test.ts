/** The map of CONTRIBUTING.md: its picture has the floors that `npm run lint:imports` checks, its table the folders that there are. */
import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import floors from '../scripts/floors.json' with { type: 'json' }

const root = fileURLToPath(new URL('..', import.meta.url))
const page = readFileSync(`${root}CONTRIBUTING.md`, 'utf8')
const section = /^## Code layout\n(.*?)^## /ms.exec(page)?.[1] ?? ''

/** Paths of a row, and the folders that its text names without their way. */
const rows = Array.from(section.matchAll(/^\| (`.*?`) \| (.*) \|$/gm), ([, paths, text]) => ({
  paths: spansOf(paths),
  folders: spansOf(text).flatMap((span) => /^([\w-]+)\/$/.exec(span)?.[1] ?? []),
}))
const paths = rows.flatMap(({ paths: ofRow }) => ofRow)

function spansOf(text: string): string[] {
  return Array.from(text.matchAll(/`([^`]+)`/g), ([, span]) => span)
}

/** Without what git ignores, and what is hidden. */
const ignored = readFileSync(`${root}.gitignore`, 'utf8').split('\n')
function entriesOf(folder: string) {
  const visible = readdirSync(root + folder, { withFileTypes: true }).filter(({ name }) => !name.startsWith('.') && !ignored.includes(`${name}/`))
  const isFolder = visible.filter((entry) => entry.isDirectory()).map(({ name }) => name)
  return { folders: isFolder, files: visible.filter((entry) => entry.isFile()).map(({ name }) => name) }
}

test('the picture is of the floors', () => {
  const lines = section.matchAll(/^ ?(\d+) {2}(\S+(?: \S+)*?) {2,}\S/gm)
  const drawn = Array.from(lines, ([, floor, names]) => ({ floor: Number(floor), names: names.split(' ') }))
  expect(drawn.toReversed()).toEqual(floors.map((names, floor) => ({ floor, names })))
})

test('the table has every room of src, every folder of cpp, and every folder of the repository', () => {
  const { folders, files } = entriesOf('src')
  const expected = {
    repository: entriesOf('').folders.filter((name) => name !== 'src'),
    src: [...folders.map((name) => `${name}/`), ...files],
    cpp: entriesOf('cpp').folders.map((name) => `${name}/`),
  }
  const under = (folder: string) => paths.filter((path) => path.startsWith(folder) && path !== folder).map((path) => path.slice(folder.length))
  expect({
    repository: paths.flatMap((path) => /^([\w-]+)\/$/.exec(path)?.[1] ?? []).toSorted(),
    src: under('src/').toSorted(),
    cpp: under('cpp/').toSorted(),
  }).toEqual({ repository: expected.repository.toSorted(), src: expected.src.toSorted(), cpp: expected.cpp.toSorted() })
})

test('a row names all folders of its room', () => {
  const rooms = rows.filter(({ paths: ofRow }) => ofRow.length === 1 && /^(src|cpp)\/[\w-]+\/$/.test(ofRow[0]))
  expect(rooms.map(({ paths: [room], folders }) => ({ room, folders: folders.toSorted() }))).toEqual(
    rooms.map(({ paths: [room] }) => ({ room, folders: entriesOf(room).folders.toSorted() })),
  )
  expect(rooms.length).toBeGreaterThan(8)
})
