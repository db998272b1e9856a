import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { existsSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import sharp from 'sharp'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openBccd } from '../../examples/cell-detector/data/bccd.js'
import { HEIGHT, limitImages, WIDTH } from '../../examples/cell-detector/data/micrograph.js'
import { parseVoc } from '../../examples/cell-detector/data/voc.js'
import { UserError } from '../../examples/cell-detector/errors.js'
import { CELL, CELLS, COLUMNS, markCells } from '../../examples/cell-detector/grid.js'

const REAL = path.resolve(import.meta.dirname, '../../../shared/data/bccd')

const object = (name: string, [xmin, ymin, xmax, ymax]: (number | string)[]) =>
  `<object><name>${name}</name><bndbox><xmin>${xmin}</xmin><ymin>${ymin}</ymin><xmax>${xmax}</xmax><ymax>${ymax}</ymax></bndbox></object>`
const annotation = (...objects: string[]) =>
  `<annotation><size><width>320</width><height>240</height><depth>3</depth></size>${objects.join('')}</annotation>`

describe('annotations', () => {
  it('reads names and boxes', () => {
    const { width, height, objects, dropped } = parseVoc(annotation(object('Platelets', [10, 20, 30, 50]), object('RBC', [1, 2, 3, 4])), 'a.xml')
    expect({ width, height, dropped }).toEqual({ width: 320, height: 240, dropped: 0 })
    expect(objects).toEqual([
      { name: 'Platelets', box: { left: 10, top: 20, right: 30, bottom: 50 } },
      { name: 'RBC', box: { left: 1, top: 2, right: 3, bottom: 4 } },
    ])
  })

  it('reads one object, and none', () => {
    expect(parseVoc(annotation(object('RBC', [1, 2, 3, 4])), 'a.xml').objects).toHaveLength(1)
    expect(parseVoc(annotation(), 'a.xml').objects).toHaveLength(0)
  })

  it('drops boxes of zero area, in either direction', () => {
    const parsed = parseVoc(annotation(object('RBC', [5, 5, 5, 9]), object('RBC', [5, 9, 8, 9]), object('RBC', [5, 5, 6, 6])), 'a.xml')
    expect(parsed.objects).toHaveLength(1)
    expect(parsed.dropped).toBe(2)
  })

  it.each([
    { what: 'broken XML', xml: '<annotation><size>', says: /^a\.xml is not valid XML/ },
    { what: 'another document', xml: '<html></html>', says: 'a.xml has no <annotation>' },
    { what: 'no size', xml: '<annotation><object/></annotation>', says: 'a.xml has no <size>' },
    { what: 'a box without a side', xml: annotation('<object><name>RBC</name><bndbox><xmin>1</xmin></bndbox></object>'), says: 'a.xml has no <ymin>' },
    { what: 'a side that is no number', xml: annotation(object('RBC', [1, 2, 'x', 4])), says: 'a.xml: <xmax> is "x"; expected a number' },
    { what: 'an empty side', xml: annotation(object('RBC', [1, 2, '', 4])), says: 'a.xml: <xmax> is ""; expected a number' },
  ])('names the file when there is $what', ({ xml, says }) => {
    expect(() => parseVoc(xml, 'a.xml')).toThrow(says)
    expect(() => parseVoc(xml, 'a.xml')).toThrow(UserError)
  })
})

describe('cells of a platelet', () => {
  it('are those whose centre lies in the inner half of its box', () => {
    const side = 40
    const targets = markCells([{ left: 100, top: 100, right: 100 + side, bottom: 100 + side }])
    const expected = Uint8Array.from({ length: CELLS }, (_, cell) => {
      const x = (cell % COLUMNS) * CELL + CELL / 2
      const y = Math.floor(cell / COLUMNS) * CELL + CELL / 2
      return Math.max(Math.abs(x - 120), Math.abs(y - 120)) <= (side / 2) * Math.SQRT1_2 ? 1 : 0
    })
    expect(targets).toEqual(expected)
    // 4 x 4 cells of 64 pixels: 1024 of the box's 1600; centres are what counts, so it is not exactly half
    expect(targets.reduce((sum, target) => sum + target, 0)).toBe(16)
  })

  it('are counted once where boxes overlap', () => {
    const box = { left: 0, top: 0, right: 80, bottom: 80 }
    expect(markCells([box, box])).toEqual(markCells([box]))
  })
})

describe('a folder in the layout of BCCD', () => {
  let folder: string

  beforeEach(async () => {
    folder = await mkdtemp(path.join(os.tmpdir(), 'bccd-'))
    for (const part of ['JPEGImages', 'Annotations', 'ImageSets/Main']) await mkdir(path.join(folder, part), { recursive: true })
    for (const split of ['train', 'val', 'test']) await writeFile(path.join(folder, `ImageSets/Main/${split}.txt`), 'one\n')
    await writeFile(path.join(folder, 'Annotations/one.xml'), annotation(object('Platelets', [10, 20, 30, 50]), object('RBC', [1, 2, 3, 4])))
    await sharp({ create: { width: 320, height: 240, channels: 3, background: '#804020' } }).jpeg().toFile(path.join(folder, 'JPEGImages/one.jpg'))
  })
  afterEach(() => rm(folder, { recursive: true }))

  it('is read, images of another size with their boxes scaled', async () => {
    const source = await openBccd(folder)
    expect(source.splits).toEqual({ train: ['one'], val: ['one'], test: ['one'] })
    const { pixels, platelets } = await source.read('one')
    expect(pixels).toHaveLength(WIDTH * HEIGHT * 3)
    expect(platelets).toEqual([{ left: 20, top: 40, right: 60, bottom: 100 }])
  })

  it('is refused with the name of what is missing', async () => {
    await expect(openBccd(path.join(folder, 'none'))).rejects.toThrow('there is no such folder')
    await rm(path.join(folder, 'ImageSets/Main/val.txt'))
    await expect(openBccd(folder)).rejects.toThrow('val.txt')
    await rm(path.join(folder, 'Annotations'), { recursive: true })
    await expect(openBccd(folder)).rejects.toThrow('the folder Annotations is missing')
  })

  it('is refused when a split names no image', async () => {
    await writeFile(path.join(folder, 'ImageSets/Main/test.txt'), '\n')
    await expect(openBccd(folder)).rejects.toThrow(/test\.txt names no image/)
  })

  it('names an image that is missing, that is no image, and that is cut off', async () => {
    const source = await openBccd(folder)
    const file = path.join(folder, 'JPEGImages/one.jpg')
    const noise = Buffer.from(Uint8Array.from({ length: WIDTH * HEIGHT * 3 }, (_, i) => (i * 7919) % 251))
    const whole = await sharp(noise, { raw: { width: WIDTH, height: HEIGHT, channels: 3 } }).jpeg().toBuffer()
    await writeFile(file, whole.subarray(0, whole.length / 2))
    await expect(source.read('one')).rejects.toThrow(`cannot decode the image ${file}`)
    await writeFile(file, 'not a JPEG')
    await expect(source.read('one')).rejects.toThrow(`cannot decode the image ${file}`)
    await rm(file)
    await expect(source.read('one')).rejects.toThrow(`cannot read the image ${file}`)
  })
})

describe('limiting the images', () => {
  it('keeps the proportions, and never loses a split', () => {
    const names = (count: number) => Array.from({ length: count }, (_, i) => `${i}`)
    const source = { description: 'x', splits: { train: names(60), val: names(30), test: names(10) }, read: () => Promise.reject(new Error('unused')) }
    const sizes = (limit: number | undefined) => Object.values(limitImages(source, limit).splits).map((split) => split.length)
    expect(sizes(undefined)).toEqual([60, 30, 10])
    expect(sizes(500)).toEqual([60, 30, 10])
    expect(sizes(10)).toEqual([6, 3, 1])
    expect(sizes(1)).toEqual([1, 1, 1])
  })
})

describe.skipIf(!existsSync(REAL))('the real set (skipped where ../shared/data/bccd is absent)', () => {
  it('has its 364 images in three splits, and all of its annotations can be read', async () => {
    const source = await openBccd(REAL)
    const { train, val, test } = source.splits
    expect([train.length, val.length, test.length]).toEqual([205, 87, 72])
    expect(new Set([...train, ...val, ...test]).size).toBe(364)
    const { platelets } = await source.read(train[0])
    expect(platelets.every(({ left, right }) => right > left)).toBe(true)
  })
})
