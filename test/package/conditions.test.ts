/** Which file of the built package bundlers take for which platform. */
import { build } from 'esbuild'
import { expect, it } from 'vitest'
import { makeApplication } from '../support/installed.js'

/** What of dist/ the entry named is. */
async function entryFor(format: 'esm' | 'cjs', platform: 'browser' | 'node' | 'neutral', conditions: string[]): Promise<string[]> {
  const application = makeApplication()
  try {
    const contents = format === 'esm' ? "import 'focal-loss'" : "require('focal-loss')"
    const stdin = { contents, resolveDir: application.folder }
    const { metafile } = await build({ stdin, format, platform, conditions, bundle: true, write: false, metafile: true, logLevel: 'silent' })
    const files = Object.keys(metafile.inputs).map((path) => path.split('/').at(-1))
    return files.flatMap((file) => (file !== undefined && /^(node|index)\./.test(file) ? [file] : []))
  } finally {
    application.remove()
  }
}

it.each([
  ['a browser', 'browser', []],
  // Bun says that a page is both; what is first in package.json decides
  ['a page, by Bun', 'browser', ['node', 'bun']],
  ['a worker at the edge', 'neutral', ['workerd', 'worker', 'browser']],
  ['an edge function', 'neutral', ['edge-light', 'worker']],
] as const)('%s gets the entry without addons', async (_, platform, conditions) => {
  expect(await entryFor('esm', platform, [...conditions])).toEqual(['index.js'])
  expect(await entryFor('cjs', platform, [...conditions])).toEqual(['index.cjs'])
})

it('a program of Node.js gets the main entry, which finds the addons', async () => {
  expect(await entryFor('esm', 'node', [])).toEqual(['node.js'])
  expect(await entryFor('cjs', 'node', [])).toEqual(['node.cjs'])
})
