/**
 * Puts the WebAssembly module into the package: its bytes as base64 in a source file, so that it travels inside the
 * bundle, and as dist/focal-loss.wasm for those who load it themselves.
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
