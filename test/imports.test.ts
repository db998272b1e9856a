/** `npm run lint:imports` fails on what it is there for: each kind is planted in a copy of the sources, and found. */
import { spawnSync } from 'node:child_process'
import { appendFileSync, cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'
import floors from '../scripts/floors.json' with { type: 'json' }
import manifest from '../package.json' with { type: 'json' }

const root = fileURLToPath(new URL('..', import.meta.url))
const copy = mkdtempSync(join(tmpdir(), 'imports-'))
const copied = ['.dependency-cruiser.mjs', 'package.json', 'scripts/floors.json', 'src', 'tsconfig.json', 'playground', 'bench', 'examples', 'test/support']

/** Imports by file, and what is said of them. */
const planted: readonly (readonly [file: string, text: string, said: string])[] = [
  // Types alone, each of the other
  ['playground/ui/first.ts', "import type { Second } from './second.js'\nexport interface First { second?: Second }", 'circle: playground/ui/first.ts'],
  ['playground/ui/second.ts', "import type { First } from './first.js'\nexport interface Second { first?: First }", 'playground/ui/second.ts'],
  // Upwards, types and values, from each kind of room
  ['src/arrays/upward.ts', "export type { Reduction } from '../problem/options.js'", 'floors: arrays: src/arrays/upward.ts'],
  ['src/losses/upward.ts', "export const load = () => import('../adapters/jax.js')", 'floors: losses: src/losses/upward.ts'],
  ['src/environment.ts', "export type { Random } from './errors.js'", 'floors: environment.ts: src/environment.ts'],
  ['src/index.ts', "import './cli/output/numbers.js'", 'floors: index.ts: src/index.ts'],
  // Sideways
  ['src/analysis/sideways.ts', "import '../backends/registry.js'", 'floors: analysis: src/analysis/sideways.ts'],
  ['src/backends/sideways.ts', "import '../analysis/gradcheck.js'", 'floors: backends: src/backends/sideways.ts'],
  ['src/backends/js/sideways.ts', "import '../wasm/steps.js'", 'backends apart: src/backends/js/sideways.ts'],
  ['src/backends/addon/sideways.ts', "import '../cuda/devices.js'", 'backends apart: src/backends/addon/sideways.ts'],
  // From a room that nobody built
  ['src/attic/homeless.ts', "import '../errors.js'", 'no room: src/attic/homeless.ts'],
  ['src/analysis/nowhere.ts', "import './not_there.js'", 'not found: src/analysis/nowhere.ts'],
]

let before: ReturnType<typeof check>
let after: ReturnType<typeof check>

beforeAll(() => {
  for (const path of copied) cpSync(join(root, path), join(copy, path), { recursive: true })
  symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'), 'junction')
  before = check()
  for (const [file, text] of planted) {
    mkdirSync(dirname(join(copy, file)), { recursive: true })
    appendFileSync(join(copy, file), `${text}\n`)
  }
  after = check()
}, 120_000)

afterAll(() => rmSync(copy, { recursive: true, force: true }))

/** What the script of package.json says of the copy. */
function check(): { code: number | null; said: string } {
  const [, ...words] = manifest.scripts['lint:imports'].split(' ')
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(root, 'node_modules/dependency-cruiser/bin/dependency-cruise.mjs'), ...words], { cwd: copy, encoding: 'utf8' })
  return { code: status, said: `${stdout}${stderr}` }
}

test('nothing is wrong with the sources', () => {
  expect(before.said).toMatch(/no dependency violations found \(\d{3,} modules/)
  expect(before.code).toBe(0)
})

test.each(planted)('what is planted in %s is found', (_file, _text, said) => {
  expect(after.said).toContain(said)
  expect(after.code).toBeGreaterThan(0)
})

test('every room of the floors is there, and all of src is in one', () => {
  expect(floors.flat().toSorted()).toEqual(readdirSync(join(root, 'src')).toSorted())
})
