/** The loss of TensorFlow.js in Chromium: fused on its cpu and wasm backends, composed on webgl and webgpu. */
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { openPage } from '../support/page.js'
import type { TfjsReport } from './tfjs_page.js'

const wasm = fileURLToPath(new URL('../../node_modules/@tensorflow/tfjs-backend-wasm/dist', import.meta.url))

it('models are trained on every backend of TensorFlow.js', { timeout: 180_000 }, async () => {
  const page = await openPage(new URL('tfjs_page.ts', import.meta.url), { webgpu: true, folders: { '/tfjs-wasm/': wasm } })
  try {
    const result = (await page.visit()).result as TfjsReport[]
    expect(result.map(({ backend, read, tensorsLeft }) => ({ backend, read, tensorsLeft }))).toEqual([
      { backend: 'cpu', read: true, tensorsLeft: 0 },
      { backend: 'wasm', read: true, tensorsLeft: 0 },
      { backend: 'webgl', read: false, tensorsLeft: 0 },
      { backend: 'webgpu', read: false, tensorsLeft: 0 },
    ])
    for (const { gradientError, firstLoss, lastLoss } of result) {
      expect(gradientError).toBeLessThan(1e-4)
      expect(lastLoss).toBeLessThan(0.6 * firstLoss)
    }
  } finally {
    await page.close()
  }
})
