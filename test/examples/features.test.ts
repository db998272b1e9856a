import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { HEIGHT, WIDTH } from '../../examples/cell-detector/data/micrograph.js'
import { drawMicrograph, generateMicrographs } from '../../examples/cell-detector/data/synthetic.js'
import { loadDataset } from '../../examples/cell-detector/dataset.js'
import { extractFeatures, FEATURE_NAMES, FEATURES } from '../../examples/cell-detector/features.js'
import { CELL, CELLS, COLUMNS } from '../../examples/cell-detector/grid.js'

/** Comparing millions of numbers one by one is slow in the test runner. */
const digest = (data: NodeJS.ArrayBufferView) => createHash('sha256').update(data).digest('hex')

const column = (rows: Float32Array, name: string) => {
  const feature = FEATURE_NAMES.indexOf(name)
  return rows.filter((_, i) => i % FEATURES === feature)
}

describe('features', () => {
  const { pixels } = drawMicrograph('x', 5, 1)

  it('are 24 different ones for each of 80 x 60 cells, all finite', () => {
    const rows = extractFeatures(pixels)
    expect(FEATURES).toBe(24)
    expect(new Set(FEATURE_NAMES).size).toBe(24)
    expect(rows).toHaveLength(80 * 60 * 24)
    expect(rows.every(Number.isFinite)).toBe(true)
  })

  it('are the same every time', () => {
    expect(digest(extractFeatures(pixels))).toBe(digest(extractFeatures(pixels)))
  })

  it('refuse an image of another size', () => {
    expect(() => extractFeatures(new Uint8Array(12))).toThrow('pixels has 12 bytes; expected 921600')
  })

  it('of one flat colour are that colour, and no edges or contrast', () => {
    const flat = Uint8Array.from({ length: WIDTH * HEIGHT * 3 }, (_, i) => [90, 120, 200][i % 3])
    const rows = extractFeatures(flat)
    const expected = {
      red: 90, green: 120, blue: 200, blueness: 110, saturation: 110, edges: 0, 'darkest green': 120, 'bluest pixel': 110,
      'green deviation': 0, 'blueness near': 110, 'blueness wide': 110, 'blueness against surroundings': 0, 'blueness against image': 0,
    }
    for (const [name, value] of Object.entries(expected)) {
      expect(Math.max(...column(rows, name).map((found) => Math.abs(found - value))), name).toBeLessThan(1e-4)
    }
  })

  it('average over neighbourhoods that end at the border of the image', () => {
    const oneCell = new Uint8Array(WIDTH * HEIGHT * 3)
    for (let y = 0; y < CELL; y++) for (let x = 0; x < CELL; x++) oneCell[(y * WIDTH + x) * 3 + 1] = 180
    const near = column(extractFeatures(oneCell), 'green near')
    expect(near[0]).toBeCloseTo(180 / 4, 4)
    expect(near[1]).toBeCloseTo(180 / 6, 4)
    expect(near[COLUMNS + 1]).toBeCloseTo(180 / 9, 4)
    expect(near[2]).toBe(0)
    expect(near[CELLS - 1]).toBe(0)
  })
})

describe('synthetic micrographs', () => {
  it('depend on the seed and on nothing else', async () => {
    const one = generateMicrographs(1)
    const [name] = one.splits.test
    const first = await one.read(name)
    await one.read('synthetic-train-3')
    const again = await one.read(name)
    expect(digest(again.pixels)).toBe(digest(first.pixels))
    expect(again.platelets).toEqual(first.platelets)
    expect(digest((await generateMicrographs(2).read(name)).pixels)).not.toBe(digest(first.pixels))
  })

  it('say that they are synthetic', () => {
    expect(generateMicrographs(1).description).toContain('synthetic')
  })

  it('have platelets inside the image, and one at least when asked', () => {
    for (let seed = 0; seed < 6; seed++) {
      const { pixels, platelets } = drawMicrograph('x', seed, 1)
      expect(pixels).toHaveLength(WIDTH * HEIGHT * 3)
      expect(platelets.length).toBeGreaterThan(0)
      for (const { left, top, right, bottom } of platelets) {
        expect(Math.min(left, top, right - left, bottom - top, WIDTH - right, HEIGHT - bottom)).toBeGreaterThanOrEqual(0)
      }
    }
  })
})

describe('the data set', () => {
  const source = generateMicrographs(1)
  const few = { ...source, splits: { train: source.splits.train.slice(0, 3), val: source.splits.val.slice(0, 1), test: source.splits.test.slice(0, 1) } }

  it('is standardised by the training cells', async () => {
    const seen: number[] = []
    const { train, val } = await loadDataset(few, () => seen.push(1))
    expect(seen).toHaveLength(5)
    expect(val.features).toHaveLength(CELLS * FEATURES)
    for (const name of FEATURE_NAMES) {
      const values = column(train.features, name)
      const mean = values.reduce((sum, value) => sum + value, 0) / values.length
      const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length
      expect(mean).toBeCloseTo(0, 4)
      expect(variance).toBeCloseTo(1, 3)
    }
    expect(train.positives).toBe(train.targets.reduce((sum, target) => sum + target, 0))
  })

  it('is refused when a split shows no platelet', async () => {
    const empty = { ...few, read: async (name: string) => ({ ...(await few.read(name)), platelets: [] }) }
    await expect(loadDataset(empty, () => undefined)).rejects.toThrow('the train split (3 images) shows no platelet')
  })
})
