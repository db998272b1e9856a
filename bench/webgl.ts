/**
 * WebGL and WebGPU in Chromium, on the processor: how much faster TensorFlow.js is fused than composed. `npx tsx bench/webgl.ts [backend]
 * [logits] [rounds]`, by default webgl, 262,144 and 15, once the package is built. Prints a line of JSON for each loss.
 */
import { openPage } from '../test/support/page.js'
import type { Ratio } from './tfjs_gpu.js'

const [backend = 'webgl', logits = '262144', rounds = '15'] = process.argv.slice(2)
const page = await openPage(new URL('webgl_page.ts', import.meta.url), { webgpu: true })
try {
  for (const { title, composed, fused, kernels } of (await page.visit(`backend=${backend}&logits=${logits}&rounds=${rounds}`)).result as Ratio[]) {
    console.log(JSON.stringify({ backend, logits: Number(logits), title, 'composed ms': composed, 'fused ms': fused, 'composed / fused': composed / fused, kernels }))
  }
} finally {
  await page.close()
}
