import { defineConfig } from 'tsdown'
import { licences } from './scripts/licences.mjs'

/**
 * In CommonJS, imported functions are called as members of their module. Next.js and others that trace files with nft follow `createRequire`
 * by its name alone, and would leave the addons behind (findings/nft-create-require-member.sh).
 */
const namedCreateRequire = {
  name: 'named-create-require',
  renderChunk(code: string, _chunk: unknown, { format }: { readonly format: string }) {
    const member = '(0, node_module.createRequire)'
    if (format !== 'cjs' || !code.includes('createRequire')) return null
    const named = code.replace('let node_module = require("node:module");', 'const { createRequire } = require("node:module");').replaceAll(member, 'createRequire')
    if (named.includes('node_module')) throw new Error(`a chunk uses node:module in another way than as ${member}; nft would not follow it`)
    return named
  },
}

// One build for all library entries, so that they share their modules: one registry, one WebAssembly memory
export default defineConfig([
  {
    entry: { index: 'src/index.ts', node: 'src/node.ts', tfjs: 'src/adapters/tfjs/index.ts', jax: 'src/adapters/jax.ts', parallel: 'src/adapters/parallel/index.ts', tcp: 'src/adapters/parallel/tcp/index.ts', webgpu: 'src/adapters/webgpu/index.ts', duckdb: 'src/adapters/duckdb/index.ts' },
    format: ['esm', 'cjs'],
    platform: 'node',
    target: 'es2022',
    dts: true,
    fixedExtension: false,
    plugins: [namedCreateRequire],
    // The other build's output stays, whichever ends first
    clean: ['dist/**/*.{js,cjs,ts,cts}', '!dist/cli.js', '!dist/cli/**'],
  },
  {
    entry: { index: 'mpi/src/index.ts' },
    outDir: 'mpi/dist',
    format: 'esm',
    platform: 'node',
    target: 'es2022',
    dts: true,
    fixedExtension: false,
    // Types of this package are all it takes
    deps: { neverBundle: [/^focal-loss/] },
  },
  {
    entry: { cli: 'src/cli/main.ts' },
    format: 'esm',
    platform: 'node',
    target: 'es2022',
    dts: false,
    fixedExtension: false,
    clean: ['dist/cli'],
    // What only some commands need, loaded by them
    outputOptions: { chunkFileNames: 'cli/[name].js' },
    plugins: [licences('cli/licences.txt')],
    // The command line is a user of the package like any other
    deps: { neverBundle: [/^focal-loss(?:\/|$)/, '@duckdb/node-api'], onlyBundle: ['@uwdata/flechette', 'commander', 'csv-parse', 'fzstd', 'hyparquet', 'pend', 'yauzl'] },
  },
])
