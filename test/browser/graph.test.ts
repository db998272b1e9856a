/** The entries for browsers ask for no module and no global that only Node.js has. */
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { ESLint } from 'eslint'
import { describe, expect, it } from 'vitest'

/** All that is used beyond ECMAScript itself. */
const globals = ['WebAssembly', 'performance', 'setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'Blob', 'URL']

const eslint = new ESLint({
  overrideConfigFile: true,
  overrideConfig: {
    languageOptions: { ecmaVersion: 2022, sourceType: 'module', globals: Object.fromEntries(globals.map((name) => [name, 'readonly'])) },
    rules: { 'no-undef': 'error' },
  },
})

/** What a module and all that it imports ask for, beyond themselves. */
async function wantsOf(stdin: string): Promise<string[]> {
  const { outputFiles, metafile } = await build({
    stdin: { contents: stdin, resolveDir: fileURLToPath(new URL('../../dist', import.meta.url)) },
    bundle: true,
    format: 'esm',
    platform: 'neutral',
    // Names are left as they are: modules that are no files of the package
    packages: 'external',
    metafile: true,
    write: false,
  })
  const imports = Object.values(metafile.outputs).flatMap((output) => output.imports.map(({ path }) => `module ${path}`))
  const [{ messages }] = await eslint.lintText(outputFiles[0].text)
  return [...new Set([...imports, ...messages.map(({ message }) => message)])]
}

describe('the modules of', () => {
  it.each(['index', 'tfjs', 'jax', 'parallel'])('%s.js want nothing of Node.js', async (entry) => {
    expect(await wantsOf(`export * from './${entry}.js'`)).toEqual([])
  })

  it('node.js want what is not in browsers, so that this test would see it', async () => {
    const wants = await wantsOf("export * from './node.js'; export const x = Buffer")
    expect(wants.sort()).toEqual(["'Buffer' is not defined.", "'process' is not defined.", 'module node:fs', 'module node:module', 'module node:path'])
  })
})
