import { readFile, stat } from 'node:fs/promises'
import path from 'node:path'
import sharp from 'sharp'
import { messageOf, UserError } from '../errors.js'
import { HEIGHT, WIDTH, type Box, type ImageSource, type Micrograph, type Split } from './micrograph.js'
import { parseVoc } from './voc.js'

const PLATELET = 'Platelets'

/** A folder in the layout of the BCCD set: JPEGImages/, Annotations/ (Pascal VOC) and ImageSets/Main/. */
export async function openBccd(folder: string): Promise<ImageSource> {
  for (const part of ['', 'JPEGImages', 'Annotations', path.join('ImageSets', 'Main')]) {
    await expectFolder(path.join(folder, part), folder)
  }
  const splits = {
    train: await readSplit(folder, 'train'),
    val: await readSplit(folder, 'val'),
    test: await readSplit(folder, 'test'),
  }
  return {
    description: `micrographs of ${folder}`,
    splits,
    read: (name) => readMicrograph(folder, name),
  }
}

async function expectFolder(folder: string, root: string): Promise<void> {
  const found = await stat(folder).catch(() => undefined)
  if (found?.isDirectory()) return
  if (folder === path.join(root)) throw new UserError(`--data ${root}: there is no such folder`)
  throw new UserError(`--data ${root}: the folder ${path.relative(root, folder)} is missing; expected the layout of the BCCD set (JPEGImages, Annotations, ImageSets/Main)`)
}

async function readSplit(folder: string, split: Split): Promise<string[]> {
  const file = path.join(folder, 'ImageSets', 'Main', `${split}.txt`)
  const names = (await readText(file)).split(/\s+/).filter((name) => name !== '')
  if (names.length === 0) throw new UserError(`${file} names no image`)
  return names
}

async function readMicrograph(folder: string, name: string): Promise<Micrograph> {
  const imageFile = path.join(folder, 'JPEGImages', `${name}.jpg`)
  const voc = path.join(folder, 'Annotations', `${name}.xml`)
  const annotation = parseVoc(await readText(voc), voc)
  const pixels = await decode(imageFile)
  const scaleX = WIDTH / annotation.width
  const scaleY = HEIGHT / annotation.height
  const scaled = ({ left, top, right, bottom }: Box): Box => ({
    left: left * scaleX,
    top: top * scaleY,
    right: right * scaleX,
    bottom: bottom * scaleY,
  })
  const platelets = annotation.objects.filter((object) => object.name === PLATELET).map((object) => scaled(object.box))
  return { name, pixels, platelets }
}

async function decode(file: string): Promise<Uint8Array> {
  const bytes = await readFile(file).catch((error: unknown) => {
    throw new UserError(`cannot read the image ${file}: ${messageOf(error)}`)
  })
  try {
    return await sharp(bytes, { failOn: 'truncated' })
      .resize(WIDTH, HEIGHT, { fit: 'fill' })
      .removeAlpha()
      .toColourspace('srgb')
      .raw()
      .toBuffer()
  } catch (error) {
    throw new UserError(`cannot decode the image ${file}: ${messageOf(error)}`)
  }
}

async function readText(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8')
  } catch (error) {
    throw new UserError(`cannot read ${file}: ${messageOf(error)}`)
  }
}
