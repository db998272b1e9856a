/** What an application does not import is not in it. */
import { readFileSync } from 'node:fs'
import { gzipSync } from 'node:zlib'
import { fileURLToPath } from 'node:url'
import * as esbuild from 'esbuild'
import { expect, it } from 'vitest'

const root = fileURLToPath(new URL('../../', import.meta.url))

async function bundled(code: string): Promise<string> {
  const { outputFiles } = await esbuild.build({ stdin: { contents: code, resolveDir: root }, bundle: true, minify: true, format: 'esm', platform: 'browser', write: false })
  return outputFiles[0].text
}

it('evaluate and fitTemperature', async () => {
  const loss = await bundled("import { SigmoidFocalLoss } from './dist/index.js'; console.log(new SigmoidFocalLoss())")
  const both = await bundled("import { SigmoidFocalLoss, evaluate, fitTemperature } from './dist/index.js'; console.log(new SigmoidFocalLoss(), evaluate, fitTemperature)")
  for (const theirs of ['thresholds.cost', 'no best temperature']) {
    expect(both).toContain(theirs)
    expect(loss).not.toContain(theirs)
  }
  // About 7 kB as browsers get it
  expect(gzipSync(both).length - gzipSync(loss).length).toBeLessThan(12_000)
})

it.each([
  ['webgpu', "import './dist/webgpu.js'", ['@compute', 'createComputePipeline']],
  ['tensorflow', "import { tfLoss } from './dist/tfjs.js'; console.log(tfLoss)", ['runWebGPUProgram', 'compileAndRun']],
])('the shaders; docs/%s.md says how large they are', async (page, more, theirs) => {
  const loss = "import { SigmoidFocalLoss } from './dist/index.js'; console.log(new SigmoidFocalLoss())"
  const [without, both] = [await bundled(loss), await bundled(`${more}\n${loss}`)]
  for (const name of theirs) {
    expect(both).toContain(name)
    expect(without).not.toContain(name)
  }
  const added = (gzipSync(both).length - gzipSync(without).length) / 1000
  const [, stated] = /adds (\d+) kB \(gzip\)/.exec(readFileSync(`${root}docs/${page}.md`, 'utf8')) ?? []
  expect(Math.abs(added - Number(stated)), `${added.toFixed(1)} kB`).toBeLessThan(1.5)
})
