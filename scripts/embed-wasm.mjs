/**
 * Puts the WebAssembly module into the package: its bytes as text in a source file, so that it travels inside the
 * bundle, and as dist/focal-loss.wasm for those who load it themselves. And the text of its workers.
 *
 * So they stand twice in the package, in the modules for `import` and in those for `require`. One file for both would have
 * to be an ES module, which Node.js before 20.19, Jest and others cannot `require`; or CommonJS or JSON, which no page can
 * import; or a script that leaves the bytes in a global, which bundlers may drop as it exports nothing. Reading the .wasm file
 * needs a file system or a wait.
 *
 * The text is not base64. Three bytes make four characters there, so what repeats in the module repeats in one of three forms, and
 * servers that compress the page send half as much again. Here the commonest 86 bytes are a character each, and the others two.
 *
 * With --allow-missing, a checkout whose module is not built gets an empty string, and the wasm backend says so.
 */
import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { transformSync } from 'esbuild'

const at = (path) => fileURLToPath(new URL(`../${path}`, import.meta.url))
const wasm = at('build/wasm/focal-loss.wasm')
const built = existsSync(wasm)

if (!built && !process.argv.includes('--allow-missing')) {
  console.error('build/wasm/focal-loss.wasm is missing; make it with npm run build:wasm')
  process.exit(1)
}

const bytes = built ? readFileSync(wasm) : Buffer.alloc(0)
const alphabet = charactersOfText()
const order = bytesByFrequency(bytes)
writeFileSync(
  at('src/backends/wasm/module_bytes.generated.ts'),
  `/** The WebAssembly module; written by scripts/embed-wasm.mjs. */
import type { ModuleText } from './module_text.js'

export const moduleText: ModuleText = {
  text: '${encode(bytes)}',
  alphabet: '${alphabet}',
  order: [${order.join(', ')}],
  byteCount: ${bytes.length},
  memoryFlagsAt: ${built ? memoryFlagsAt(bytes) : 0},
}
`,
)

// The text of a worker, as it is started from no file
const worker = transformSync(readFileSync(at('src/backends/wasm/worker.ts'), 'utf8'), { loader: 'ts', minify: true, format: 'iife', target: 'es2022' })
writeFileSync(
  at('src/backends/wasm/worker.generated.ts'),
  `/** The text of worker.ts as a script; written by scripts/embed-wasm.mjs. */\nexport const source = ${JSON.stringify(worker.code)}\n`,
)

/** ASCII that is printed, without what is special in some string, template or page. */
function charactersOfText() {
  return Array.from({ length: 95 }, (_, k) => String.fromCharCode(32 + k)).filter((character) => !`'"\`\\$<{`.includes(character)).join('')
}

function bytesByFrequency(module) {
  const counts = new Array(256).fill(0)
  for (const byte of module) counts[byte]++
  return [...counts.keys()].sort((a, b) => counts[b] - counts[a] || a - b)
}

function encode(module) {
  const singles = alphabet.length - 2
  const codes = new Array(256)
  order.forEach((byte, rank) => {
    const pair = rank - singles
    codes[byte] = pair < 0 ? alphabet[rank] : alphabet[singles + Math.floor(pair / singles)] + alphabet[pair % singles]
  })
  return Array.from(module, (byte) => codes[byte]).join('')
}

/** In the binary format, an import's two names, 2 for a memory, and 1 for limits with a maximum. */
function memoryFlagsAt(module) {
  const asked = Buffer.from('\x03env\x06memory\x02\x01', 'latin1')
  const at = module.indexOf(asked)
  if (at < 0 || module.indexOf(asked, at + 1) >= 0) throw new Error('build/wasm/focal-loss.wasm does not import its memory once; see wasm/build.sh')
  return at + asked.length - 1
}

if (built) {
  mkdirSync(at('dist'), { recursive: true })
  copyFileSync(wasm, at('dist/focal-loss.wasm'))
}
