import { XMLParser } from 'fast-xml-parser'
import { SyntaxValidator } from 'fast-xml-validator'
import { messageOf, UserError } from '../errors.js'
import type { Box } from './micrograph.js'

export interface VocObject {
  readonly name: string
  readonly box: Box
}

export interface VocAnnotation {
  readonly width: number
  readonly height: number
  readonly objects: readonly VocObject[]
  /** Boxes of zero area, which mark nothing and are dropped. */
  readonly dropped: number
}

const parser = new XMLParser({ isArray: (tag) => tag === 'object', parseTagValue: false })

/** Reads one Pascal VOC annotation. `file` is only for messages. */
export function parseVoc(xml: string, file: string): VocAnnotation {
  // The parser itself reads broken documents as far as it can, which would lose objects silently.
  try {
    SyntaxValidator.validate(xml)
  } catch (error) {
    throw new UserError(`${file} is not valid XML: ${messageOf(error)}`)
  }
  const annotation = child(parser.parse(xml), 'annotation', file)
  const size = child(annotation, 'size', file)
  const found = isRecord(annotation) && Array.isArray(annotation.object) ? annotation.object : []
  const objects = found.map((object: unknown) => parseObject(object, file))
  const solid = objects.filter(({ box }) => box.right > box.left && box.bottom > box.top)
  return {
    width: positive(size, 'width', file),
    height: positive(size, 'height', file),
    objects: solid,
    dropped: objects.length - solid.length,
  }
}

function parseObject(object: unknown, file: string): VocObject {
  const name = child(object, 'name', file)
  if (typeof name !== 'string') throw new UserError(`${file}: an object has no name`)
  const bounds = child(object, 'bndbox', file)
  return {
    name,
    box: {
      left: number(bounds, 'xmin', file),
      top: number(bounds, 'ymin', file),
      right: number(bounds, 'xmax', file),
      bottom: number(bounds, 'ymax', file),
    },
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}

function child(parent: unknown, tag: string, file: string): unknown {
  if (!isRecord(parent) || parent[tag] === undefined) throw new UserError(`${file} has no <${tag}> where one is expected`)
  return parent[tag]
}

function number(parent: unknown, tag: string, file: string): number {
  const text = child(parent, tag, file)
  const value = Number(text)
  if (text === '' || !Number.isFinite(value)) throw new UserError(`${file}: <${tag}> is ${JSON.stringify(text)}; expected a number`)
  return value
}

function positive(parent: unknown, tag: string, file: string): number {
  const value = number(parent, tag, file)
  if (value <= 0) throw new UserError(`${file}: <${tag}> is ${value}; expected a size above 0`)
  return value
}
