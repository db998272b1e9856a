/** What an application does not import is not in it. */
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
