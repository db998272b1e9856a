/** The backend suite in Chromium: golden values and random problems, on wasm and js. */
import { expect, it } from 'vitest'
import { openPage } from '../support/page.js'

it('every backend of a browser agrees with the golden values and with the others', { timeout: 180_000 }, async () => {
  const page = await openPage(new URL('suite_page.ts', import.meta.url))
  try {
    const { result, printed } = await page.visit()
    expect(result).toEqual({ counts: { golden: 95, problems: 400, refused: expect.any(Number) as unknown }, failures: [] })
    expect((result as { counts: { refused: number } }).counts.refused).toBeGreaterThan(10)
    expect(printed).toEqual([])
  } finally {
    await page.close()
  }
})
