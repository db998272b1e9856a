/**
 * TensorFlow.js's webgl and webgpu backends in Chromium, on the processor: how much faster fused losses are than composed ones.
 * `npx tsx bench/chromium.ts [backend] [logits] [rounds]`, by default webgpu, 262,144 and 5, once the package is built. Prints a line of JSON for
 * each loss, with medians.
 */
import { openPage } from '../test/support/page.js'
import { LOSSES, type Ratio } from './tfjs_gpu.js'

const [backend = 'webgpu', logits = '262144', rounds = '5'] = process.argv.slice(2)
const page = await openPage(new URL('chromium_page.ts', import.meta.url), { webgpu: true })
try {
  // A page each, as a page has only so much time
  for (let loss = 0; loss < LOSSES; loss++) {
    const [{ title, composed, fused, kernels }] = (await page.visit(`backend=${backend}&loss=${loss}&logits=${logits}&rounds=${rounds}`)).result as Ratio[]
    console.log(JSON.stringify({ backend, logits: Number(logits), title, 'composed ms': composed, 'fused ms': fused, 'composed / fused': composed / fused, kernels }))
  }
} finally {
  await page.close()
}
