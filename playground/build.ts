/**
 * Builds the page into `build/playground`: classic scripts beside one HTML file, because browsers refuse modules from `file://`.
 *
 * The first script has the library, the shell and the first three panels. It is also the program of the training's worker, which
 * is started from the script's own text: a worker from a `file://` address is refused too, and the library travels once. The
 * panels that are seen last are scripts of their own, and take the library from the first.
 */
import { fileURLToPath } from 'node:url'
import { build, type InlineConfig, type Plugin } from 'vite'

const at = (path: string) => fileURLToPath(new URL(path, import.meta.url))

/** As `npm run playground` serves it. */
export const BUILT = at('../build/playground')

export async function buildPlayground(outDir = BUILT): Promise<void> {
  await build(configOf(outDir, at('index.html'), { emptyOutDir: true, plugins: [classicScripts(), ownText()] }))
  for (const name of ['numbers', 'browser']) {
    await build(configOf(outDir, at(`panels/${name}/lazy.ts`), { plugins: [], script: `panel-${name}.js` }))
  }
}

interface Part {
  readonly plugins: Plugin[]
  readonly emptyOutDir?: boolean
  /** The name of a script without a page. */
  readonly script?: string
}

function configOf(outDir: string, input: string, { plugins, emptyOutDir = false, script = 'playground.js' }: Part): InlineConfig {
  const isFirst = script === 'playground.js'
  return {
    root: at('.'),
    configFile: false,
    base: './',
    logLevel: 'warn',
    assetsInclude: ['**/*.npy'],
    plugins,
    resolve: isFirst ? { alias: { 'focal-loss': at('../src/index.ts') } } : {},
    build: {
      outDir,
      emptyOutDir,
      cssCodeSplit: false,
      target: 'es2022',
      modulePreload: false,
      reportCompressedSize: false,
      chunkSizeWarningLimit: 2000,
      assetsInlineLimit: 1 << 20,
      rolldownOptions: {
        input,
        external: isFirst ? [] : ['focal-loss'],
        output: {
          format: 'iife',
          entryFileNames: script,
          assetFileNames: 'playground[extname]',
          globals: { 'focal-loss': 'playground.library' },
        },
      },
    },
  }
}

/** `defer` does what a module does, and works from `file://`, as style sheets without CORS do. */
function classicScripts(): Plugin {
  return {
    name: 'classic-scripts',
    transformIndexHtml: {
      order: 'post',
      handler: (html) => html.replace(/ type="module" crossorigin/g, ' defer').replace(/ crossorigin/g, ''),
    },
  }
}

/** Leaves the program where it can read its own text. */
function ownText(): Plugin {
  return {
    name: 'own-text',
    generateBundle(_, bundle) {
      for (const part of Object.values(bundle)) {
        if (part.type === 'chunk') part.code = `(globalThis.playgroundProgram = function () {\n${part.code}\n})()\n`
      }
    },
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await buildPlayground()
