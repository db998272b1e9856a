import { Random } from '../random.js'
import { HEIGHT, WIDTH, type Box, type ImageSource, type Micrograph, type Split } from './micrograph.js'

/** How many generated images each split holds. */
const SIZES: Readonly<Record<Split, number>> = { train: 96, val: 32, test: 32 }

type Colour = readonly [red: number, green: number, blue: number]

interface Blob {
  readonly x: number
  readonly y: number
  readonly radius: number
  /** Width over height, and how the whole is turned. */
  readonly stretch: number
  readonly angle: number
  /** How far the outline leaves the ellipse, how often, and where along it. */
  readonly wobble: number
  readonly lobes: number
  readonly phase: number
  /** The width of the soft edge as a share of the radius. */
  readonly softness: number
}

const BACKGROUND: Colour = [206, 221, 212]
const RED_CELL: Colour = [201, 152, 146]
const CYTOPLASM: Colour = [183, 156, 205]
const NUCLEUS: Colour = [88, 62, 186]
const PLATELET: Colour = [136, 122, 196]
const STAIN: Colour = [142, 134, 186]
const GLARE: Colour = [120, 84, 106]

/**
 * Micrographs drawn from a seed: red cells, white cells with purple nuclei, platelets, and stains and glare
 * that look a little like platelets. They stand in for real ones, so that the example runs on any machine.
 */
export function generateMicrographs(seed: number): ImageSource {
  const names = (split: Split): string[] => Array.from({ length: SIZES[split] }, (_, index) => `synthetic-${split}-${index}`)
  const splits = { train: names('train'), val: names('val'), test: names('test') }
  const order = [...splits.train, ...splits.val, ...splits.test]
  return {
    description: `synthetic micrographs, drawn from seed ${seed} (not real blood; use --data for real images)`,
    splits,
    // The first image of each split shows a platelet, so that a run on a handful of images has something to find.
    read: (name) => Promise.resolve(drawMicrograph(name, seed * 100003 + order.indexOf(name), name.endsWith('-0') ? 1 : 0)),
  }
}

export function drawMicrograph(name: string, seed: number, fewestPlatelets: number): Micrograph {
  const random = new Random(seed)
  const canvas = drawBackground(random)
  for (let left = 14 + random.integer(12); left > 0; left--) drawRedCell(canvas, random)
  if (random.next() < 0.7) drawWhiteCell(canvas, random)
  for (let left = random.integer(7); left > 0; left--) drawStain(canvas, random)
  const platelets = Array.from({ length: Math.max(fewestPlatelets, drawPlateletCount(random)) }, () => drawPlatelet(canvas, random))
  return { name, pixels: develop(canvas, random), platelets }
}

/** More than a third of the images hold none; the mean is a little above one. */
function drawPlateletCount(random: Random): number {
  const chance = random.next()
  return [0.38, 0.62, 0.8, 0.9, 0.96].filter((limit) => chance >= limit).length
}

function drawBackground(random: Random): Float32Array {
  const canvas = new Float32Array(WIDTH * HEIGHT * 3)
  const light = random.between(0.92, 1.06)
  const tint = random.between(-8, 8)
  const slopeX = random.between(-0.08, 0.08) / WIDTH
  const slopeY = random.between(-0.08, 0.08) / HEIGHT
  for (let y = 0, at = 0; y < HEIGHT; y++) {
    for (let x = 0; x < WIDTH; x++, at += 3) {
      const level = light + slopeX * (x - WIDTH / 2) + slopeY * (y - HEIGHT / 2)
      canvas[at] = (BACKGROUND[0] + tint) * level
      canvas[at + 1] = BACKGROUND[1] * level
      canvas[at + 2] = (BACKGROUND[2] - tint) * level
    }
  }
  return canvas
}

function drawRedCell(canvas: Float32Array, random: Random): void {
  const cell = randomBlob(random, random.between(34, 56), 0.14)
  const pallor = random.next() < 0.6 ? random.between(0.2, 0.7) : 0
  paint(canvas, cell, varied(RED_CELL, 12, random), (r) => 0.75 * (1 - pallor * Math.max(0, 1 - 3 * r * r)))
  if (random.next() < 0.2) {
    const glare = { ...randomBlob(random, random.between(6, 11), 0.3), x: cell.x + random.between(-12, 12), y: cell.y + random.between(-12, 12) }
    paint(canvas, glare, varied(GLARE, 20, random), (r) => 0.8 * r)
  }
}

function drawWhiteCell(canvas: Float32Array, random: Random): void {
  const cell = randomBlob(random, random.between(55, 85), 0.1)
  paint(canvas, cell, varied(CYTOPLASM, 8, random), () => 0.9)
  for (let lobe = 2 + random.integer(3); lobe > 0; lobe--) {
    const turn = random.between(0, 2 * Math.PI)
    const away = cell.radius * random.between(0.15, 0.5)
    const part = randomBlob(random, cell.radius * random.between(0.28, 0.42), 0.2)
    paint(canvas, { ...part, x: cell.x + away * Math.cos(turn), y: cell.y + away * Math.sin(turn) }, varied(NUCLEUS, 12, random), () => 0.92)
  }
}

function drawStain(canvas: Float32Array, random: Random): void {
  const stain = { ...randomBlob(random, random.between(4, 11), 0.35), softness: 0.9 }
  const strength = random.between(0.25, 0.8)
  paint(canvas, stain, varied(STAIN, 22, random), () => strength)
}

/** Draws one platelet and returns its box, as loosely as a person would draw it. */
function drawPlatelet(canvas: Float32Array, random: Random): Box {
  const platelet = { ...randomBlob(random, random.between(11, 19), 0.25), softness: random.between(0.3, 0.7) }
  const strength = random.between(0.4, 0.9)
  paint(canvas, platelet, varied(PLATELET, 16, random), (r) => strength * (1 - 0.4 * r))
  const margin = (): number => platelet.radius * random.between(1.0, 1.5)
  return {
    left: Math.max(0, platelet.x - margin()),
    top: Math.max(0, platelet.y - margin()),
    right: Math.min(WIDTH, platelet.x + margin()),
    bottom: Math.min(HEIGHT, platelet.y + margin()),
  }
}

function randomBlob(random: Random, radius: number, wobble: number): Blob {
  return {
    x: random.between(0, WIDTH),
    y: random.between(0, HEIGHT),
    radius,
    stretch: random.between(0.85, 1.18),
    angle: random.between(0, Math.PI),
    wobble: random.between(0, wobble),
    lobes: 2 + random.integer(4),
    phase: random.between(0, 2 * Math.PI),
    softness: 0.12,
  }
}

function varied([red, green, blue]: Colour, spread: number, random: Random): Colour {
  const vary = (): number => random.between(-spread, spread)
  return [red + vary(), green + vary(), blue + vary()]
}

/** Lays a blob over what is there; `opacity` is given the distance from the centre, 0 there and 1 at the outline. */
function paint(canvas: Float32Array, blob: Blob, colour: Colour, opacity: (distance: number) => number): void {
  const reach = blob.radius * (1.2 + blob.wobble + blob.softness)
  const cos = Math.cos(blob.angle)
  const sin = Math.sin(blob.angle)
  for (let y = Math.max(0, Math.ceil(blob.y - reach)); y < Math.min(HEIGHT, blob.y + reach); y++) {
    for (let x = Math.max(0, Math.ceil(blob.x - reach)); x < Math.min(WIDTH, blob.x + reach); x++) {
      const along = ((x - blob.x) * cos + (y - blob.y) * sin) / blob.stretch
      const across = ((y - blob.y) * cos - (x - blob.x) * sin) * blob.stretch
      const distance = Math.sqrt(along * along + across * across) / outline(blob, along, across)
      const edge = Math.min(1, (1 + blob.softness / 2 - distance) / blob.softness)
      if (edge <= 0) continue
      const cover = edge * opacity(Math.min(1, distance))
      const at = (y * WIDTH + x) * 3
      for (let channel = 0; channel < 3; channel++) {
        const below = canvas[at + channel]
        canvas[at + channel] = below + cover * (colour[channel] - below)
      }
    }
  }
}

function outline(blob: Blob, along: number, across: number): number {
  return blob.radius * (1 + blob.wobble * Math.sin(blob.lobes * Math.atan2(across, along) + blob.phase))
}

/** Adds the grain of the camera and rounds to bytes. Noise comes from a table: a million normals an image would be slow. */
function develop(canvas: Float32Array, random: Random): Uint8Array {
  const rowLength = WIDTH * 3
  const grain = Float32Array.from({ length: 8192 }, () => 3.5 * random.normal())
  const pixels = new Uint8ClampedArray(canvas.length)
  for (let row = 0; row < canvas.length; row += rowLength) {
    const shift = random.integer(grain.length - rowLength)
    for (let i = 0; i < rowLength; i++) pixels[row + i] = canvas[row + i] + grain[shift + i]
  }
  return new Uint8Array(pixels.buffer)
}
