/** Logits and targets that are two arrays, in one file or two. */
import { type ArrayReader, product, type ReadNumbers, shapeText } from './array_reader.js'
import { type Parts, type Source, sourceOf } from './chunks.js'
import type { Files, SourceOptions } from './files.js'

export async function twoArrays(files: Files, options: SourceOptions): Promise<Source> {
  const { file, targets: targetsFile = file, shape, classAxis = -1, dtype } = options
  if (targetsFile === file && /\.npy$/i.test(file)) throw new Error(`${file} holds one array; expected --targets with the file of the other`)
  let classesFirst = false
  const logits = await files.openArray(file, 'logits', options, { shape, dtype, firstAxisLast: (sizes) => (classesFirst = sizes.length > 1 && axisOf(file, classAxis, sizes.length) === 0) })
  const opened: ArrayReader[] = [logits]
  const close = async () => {
    for (const reader of opened) await reader.close()
  }
  try {
    const given = axisOf(file, classAxis, 1 + logits.rest.length)
    // One axis alone: a logit a row
    const rest = logits.rest.length === 0 ? [1] : logits.rest
    const axis = given === 0 ? rest.length : given
    const elements = product(rest)
    const rows = product(rest.filter((_, i) => i !== axis - 1))
    const targets = await files.openArray(targetsFile, 'targets', options, {
      firstAxisLast: (sizes) => classesFirst && product(sizes) === (logits.rows ?? 0) * elements,
    })
    opened.push(targets)
    const each = targetsEach(logits, targets, elements, rows, axis, shape !== undefined)
    const next: Parts['next'] = async (most) => {
      const x = await logits.read(most * elements)
      const count = x.length / elements
      // At the end one row more is asked for, which must not be there
      const y: ReadNumbers = await targets.read(Math.max(1, count) * each)
      if (y.length < count * each) throw new Error(`${targets.name} has fewer rows than ${logits.name}; expected as many${headerHint(opened)}`)
      if (count === 0 && y.length > 0) throw new Error(`${targets.name} has more rows than ${logits.name}; expected as many${headerHint(opened)}`)
      return { logits: x, targets: y }
    }
    const taken = new Map(opened.flatMap((reader) => (reader.taken === undefined ? [] : [[reader.name, reader.taken]])))
    const parts = { names: { logits: logits.name, targets: targets.name }, integers: targets.integers, next, taken, progress: () => logits.progress(), close }
    return sourceOf({ rest, classAxis: axis, elements, targets: each }, parts, options)
  } catch (error) {
    await close()
    throw error
  }
}

/** Tables of text, where a line more or less may be a header. */
function headerHint(opened: readonly ArrayReader[]): string {
  return opened.some(({ taken }) => taken?.untitled === true) ? ' (--header, if a first line of numbers is one)' : ''
}

/** How many targets go with a slice of logits: one for each logit, or one for each row. */
function targetsEach(logits: ArrayReader, targets: ArrayReader, elements: number, rows: number, axis: number, reshaped: boolean): number {
  const own = product(targets.rest)
  for (const each of [elements, rows]) {
    const fits = logits.rows === null || targets.rows === null ? own === each : targets.rows * own === logits.rows * each
    const rest = each === elements ? logits.rest : logits.rest.filter((_, i) => i !== axis - 1)
    if (fits && (targets.flat || own === each) && (reshaped || !isTurned([targets.rows, ...targets.rest], [logits.rows, ...rest]))) return each
  }
  const sizeOf = ({ rows: first, rest }: ArrayReader) => shapeText([first ?? 'any', ...rest])
  throw new Error(`${targets.name} has the shape ${sizeOf(targets)}, which does not go with ${sizeOf(logits)} of ${logits.name}; expected one target for each logit or the index of a class for each row`)
}

/** Whether these are the same axes in another order: an array that should have been transposed. */
function isTurned(shape: readonly (number | null)[], expected: readonly (number | null)[]): boolean {
  const [a, b] = [shape, expected].map((sizes) => sizes.filter((size) => size !== 1).map(Number))
  const sorted = (sizes: readonly number[]) => sizes.toSorted((x, y) => x - y).join()
  return a.join() !== b.join() && sorted(a) === sorted(b)
}

function axisOf(file: string, classAxis: number, rank: number): number {
  const axis = classAxis < 0 ? classAxis + rank : classAxis
  if (axis < 0 || axis >= rank) throw new Error(`--class-axis is ${classAxis}; expected an integer from ${-rank} to ${rank - 1} for ${file}`)
  return axis
}
