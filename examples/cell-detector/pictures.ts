import sharp from 'sharp'
import { HEIGHT, WIDTH, type ImageSource } from './data/micrograph.js'
import type { CellSet } from './dataset.js'
import { CELL, CELLS, COLUMNS, ROWS } from './grid.js'
import type { Result } from './results.js'

export interface Picture {
  readonly name: string
  /** A data: URI. */
  readonly image: string
}

const HEAT = [255, 90, 0] as const

/** The test images with the most platelets, with the detector's scores laid over them. */
export async function drawDetections(source: ImageSource, test: CellSet, result: Result, count: number): Promise<Picture[]> {
  const richest = test.names.map((_, image) => image).sort((a, b) => test.platelets[b] - test.platelets[a])
  return Promise.all(
    richest.slice(0, count).map((image) => {
      const logits = result.testLogits.subarray(image * CELLS, (image + 1) * CELLS)
      return drawPicture(source, test.names[image], logits, result.threshold)
    }),
  )
}

async function drawPicture(source: ImageSource, name: string, logits: Float32Array, threshold: number): Promise<Picture> {
  const { pixels, platelets } = await source.read(name)
  const heat = new Uint8Array(CELLS * 4)
  const found: string[] = []
  logits.forEach((logit, cell) => {
    // The losses put their scores on different scales; seen from the threshold they can be compared.
    const strength = 1 / (1 + Math.exp(threshold - logit))
    heat.set([...HEAT, Math.round(200 * strength)], cell * 4)
    if (logit >= threshold) found.push(`<rect x="${(cell % COLUMNS) * CELL}" y="${Math.floor(cell / COLUMNS) * CELL}" width="${CELL}" height="${CELL}"/>`)
  })
  const boxes = platelets.map(({ left, top, right, bottom }) => `<rect x="${left}" y="${top}" width="${right - left}" height="${bottom - top}"/>`)
  const marks = `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${HEIGHT}" fill="none">
    <g stroke="#c03000">${found.join('')}</g><g stroke="#000" stroke-width="2">${boxes.join('')}</g></svg>`
  const overlay = await sharp(heat, { raw: { width: COLUMNS, height: ROWS, channels: 4 } })
    .resize(WIDTH, HEIGHT, { kernel: 'nearest' })
    .png()
    .toBuffer()
  const jpeg = await sharp(pixels, { raw: { width: WIDTH, height: HEIGHT, channels: 3 } })
    .composite([{ input: overlay }, { input: Buffer.from(marks) }])
    .jpeg({ quality: 85 })
    .toBuffer()
  return { name, image: `data:image/jpeg;base64,${jpeg.toString('base64')}` }
}
