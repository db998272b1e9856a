/**
 * Builds the page into `build/playground`: classic scripts beside one HTML file, because browsers refuse modules from `file://`.
 *
 * The first script has the library, the shell and the first two panels. The later panels are scripts of their own, and take the
 * library from the first. The training's worker is started from the text of the first script and of its own: a worker from a `file://`
 * address is refused too, and the library travels once.
 */
import { fileURLToPath } from 'node:url'
import { build, type InlineConfig, type Plugin } from 'vite'
import { writeDocs } from './docs.js'

const at = (path: string) => fileURLToPath(new URL(path, import.meta.url))

/** As `npm run playground` serves it. */
export const BUILT = at('../build/playground')

export async function buildPlayground(outDir = BUILT): Promise<void> {
  await build(configOf(outDir, at('index.html'), { emptyOutDir: true, plugins: [classicScripts(), ownText()] }))
  for (const name of ['training', 'numbers', 'browser']) {
    await build(configOf(outDir, at(`panels/${name}/lazy.ts`), { plugins: name === 'training' ? [ownText()] : [], script: `panel-${name}.js` }))
  }
  writeDocs(outDir)
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
    // The kernels of WebGPU come with the panel that times them
    resolve: { alias: isFirst ? { 'focal-loss': at('../src/index.ts') } : { 'focal-loss/webgpu': at('../src/adapters/webgpu/index.ts') } },
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

/** Leaves the script as a function, whose text workers are made of. */
function ownText(): Plugin {
  return {
    name: 'own-text',
    generateBundle(_, bundle) {
      for (const part of Object.values(bundle)) {
        if (part.type === 'chunk') part.code = `;(globalThis.playgroundPrograms ??= []).push(function () {\n${part.code}\n});playgroundPrograms.at(-1)()\n`
      }
    },
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await buildPlayground()
