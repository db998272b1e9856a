/**
 * Puts the WebAssembly module into the package: its bytes as base64 in a source file, so that it travels inside the
 * bundle, and as dist/focal-loss.wasm for those who load it themselves.
 *
 * So they stand twice in the package, in the modules for `import` and in those for `require`. One file for both would have
 * to be an ES module, which Node.js before 20.19, Jest and others cannot `require`; or CommonJS or JSON, which no page can
 * import; or a script that leaves the bytes in a global, which bundlers may drop as it exports nothing. Reading the .wasm file
 * needs a file system or a wait. Compressed they would be a fifth, and cost 40 ms of JavaScript at the first use to save 60 kB
 * of transfer.
 *
 * With --allow-missing, a checkout whose module is not built gets an empty string, and the wasm backend says so.
 */
import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const at = (path) => fileURLToPath(new URL(`../${path}`, import.meta.url))
const wasm = at('build/wasm/focal-loss.wasm')
const built = existsSync(wasm)

if (!built && !process.argv.includes('--allow-missing')) {
  console.error('build/wasm/focal-loss.wasm is missing; make it with npm run build:wasm')
  process.exit(1)
}

const base64 = built ? readFileSync(wasm).toString('base64') : ''
const source = `/** The bytes of the WebAssembly module; written by scripts/embed-wasm.mjs. */\nexport const base64: string =\n  '${base64}'\n`
writeFileSync(at('src/backends/wasm_bytes.generated.ts'), source)

if (built) {
  mkdirSync(at('dist'), { recursive: true })
  copyFileSync(wasm, at('dist/focal-loss.wasm'))
}
