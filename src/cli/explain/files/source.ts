/** Logits and their targets, from one file or two, some rows at a time, wherever the files are. */
import type { Logits, NumericArray } from 'focal-loss'
import { type ArrayReader, product, type ReadNumbers, shapeText, type TableReader } from './array_reader.js'
import type { ColumnChoice, Role } from './columns.js'
import type { NpyOptions } from './npy.js'

export interface OpenOptions extends ColumnChoice {
  /** The names of the arrays in .npz files. */
  readonly arrays: { readonly logits: string; readonly targets: string }
}

/** Where files are: on a disk, or given to a page. */
export interface Files {
  /** The logits or the targets; `npy` is for files that have a shape. */
  openArray(name: string, role: 'logits' | 'targets', options: OpenOptions, npy: NpyOptions): Promise<ArrayReader>
  /** A table of which rows hold logits, targets or both. */
  openTable(name: string, role: Role, options: OpenOptions): Promise<TableReader>
}

export interface SourceOptions extends OpenOptions {
  readonly file: string
  /** The file of the targets, where it is another. */
  readonly targets?: string
  /** Of the logits, in place of the file's own. */
  readonly shape?: readonly number[]
  readonly classAxis?: number
}

/** What a call of a loss takes. Good until the next is read. */
export interface Chunk {
  readonly logits: Logits
  readonly targets: NumericArray
  readonly shape: number[]
  readonly classAxis: number
  /** The row it begins with. */
  readonly firstRow: number
}

export interface Source {
  /** Logits a row. */
  readonly classes: number
  /** The next chunk; none at the end. */
  read(): Promise<Chunk | undefined>
  /** From 0 to 1. */
  progress(): number
  close(): Promise<void>
}

/** Logits in a chunk. Large enough for all threads of a backend, small enough to be nothing. */
const CHUNK = 1 << 18

export async function openSource(files: Files, options: SourceOptions): Promise<Source> {
  const { file, targets, shape, classAxis } = options
  if (targets !== undefined || !isTable(file)) return twoArrays(files, options)
  if (shape !== undefined || classAxis !== undefined) throw new Error(`--shape or --class-axis is given for ${file}; expected neither, as every line of a table is a row`)
  return oneTable(files, options)
}

/** How slices of the first axis make up chunks. */
interface Slices {
  /** The other axes. */
  readonly rest: readonly number[]
  readonly classAxis: number
  /** Numbers of a slice: logits, rows, and targets. */
  readonly elements: number
  readonly rows: number
  readonly targets: number
}

/** The next slices: at most `most`, none at the end. */
type NextSlices = (most: number) => Promise<{ readonly logits: ReadNumbers; readonly targets: ReadNumbers }>

function sourceOf(slices: Slices, next: NextSlices, targetsName: string, files: Pick<Source, 'progress' | 'close'>): Source {
  const { rest, classAxis, elements } = slices
  const most = Math.max(1, Math.floor(CHUNK / Math.max(1, elements)))
  let firstRow = 0
  return {
    ...files,
    classes: rest[classAxis - 1],
    async read() {
      if (elements === 0) return undefined
      const { logits, targets } = await next(most)
      const count = logits.length / elements
      if (count === 0) return undefined
      const chunk: Chunk = {
        logits: toLogits(logits),
        targets: slices.targets === elements ? targets : toIndices(targetsName, targets, firstRow, rest),
        shape: [count, ...rest],
        classAxis,
        firstRow,
      }
      firstRow += count * slices.rows
      return chunk
    },
  }
}

async function oneTable(files: Files, options: SourceOptions): Promise<Source> {
  const reader = await files.openTable(options.file, 'both', options)
  const { name, logits: classes, rest } = reader
  const width = rest[0]
  const targets = width - classes
  if (targets !== classes && targets !== 1) {
    await reader.close()
    throw new Error(`${name} has ${targets} columns of targets; expected 1, the index of a class, or ${classes}, one for each logit`)
  }
  const split: NextSlices = async (most) => {
    const numbers = await reader.read(most * width)
    const rows = numbers.length / width
    const column = (from: number, to: number) => Float64Array.from({ length: rows * (to - from) }, (_, k) => numbers[Math.floor(k / (to - from)) * width + from + (k % (to - from))])
    return { logits: column(0, classes), targets: column(classes, width) }
  }
  return sourceOf({ rest: [classes], classAxis: 1, elements: classes, rows: 1, targets }, split, name, reader)
}

async function twoArrays(files: Files, options: SourceOptions): Promise<Source> {
  const { file, targets: targetsFile = file, shape, classAxis = -1 } = options
  if (targetsFile === file && /\.npy$/i.test(file)) throw new Error(`${file} holds one array; expected --targets with the file of the other`)
  let classesFirst = false
  const logits = await files.openArray(file, 'logits', options, { shape, firstAxisLast: (sizes) => (classesFirst = sizes.length > 1 && axisOf(file, classAxis, sizes.length) === 0) })
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
    const each = targetsEach(logits, targets, elements, rows)
    const next: NextSlices = async (most) => {
      const x = await logits.read(most * elements)
      const count = x.length / elements
      // At the end one row more is asked for, which must not be there
      const y = await targets.read(Math.max(1, count) * each)
      if (y.length < count * each) throw new Error(`${targets.name} has fewer rows than ${logits.name}; expected as many`)
      if (count === 0 && y.length > 0) throw new Error(`${targets.name} has more rows than ${logits.name}; expected as many`)
      return { logits: x, targets: y }
    }
    return sourceOf({ rest, classAxis: axis, elements, rows, targets: each }, next, targets.name, { progress: () => logits.progress(), close })
  } catch (error) {
    await close()
    throw error
  }
}

/** How many targets go with a slice of logits: one for each logit, or one for each row. */
function targetsEach(logits: ArrayReader, targets: ArrayReader, elements: number, rows: number): number {
  const own = product(targets.rest)
  for (const each of [elements, rows]) {
    const fits = logits.rows === null || targets.rows === null ? own === each : targets.rows * own === logits.rows * each
    if (fits && (targets.flat || own === each)) return each
  }
  const sizeOf = ({ rows: first, rest }: ArrayReader) => shapeText([first ?? 'any', ...rest])
  throw new Error(`${targets.name} has the shape ${sizeOf(targets)}, which does not go with ${sizeOf(logits)} of ${logits.name}; expected one target for each logit or the index of a class for each row`)
}

function axisOf(file: string, classAxis: number, rank: number): number {
  const axis = classAxis < 0 ? classAxis + rank : classAxis
  if (axis < 0 || axis >= rank) throw new Error(`--class-axis is ${classAxis}; expected an integer from ${-rank} to ${rank - 1} for ${file}`)
  return axis
}

function toLogits(numbers: ReadNumbers): Logits {
  if (numbers instanceof Float32Array || numbers instanceof Float64Array) return numbers
  return numbers.BYTES_PER_ELEMENT < 4 ? Float32Array.from(numbers) : Float64Array.from(numbers)
}

/** Class indices, whatever type they were kept in. */
function toIndices(name: string, numbers: ReadNumbers, firstRow: number, rest: readonly number[]): NumericArray {
  if (!(numbers instanceof Float32Array || numbers instanceof Float64Array)) return numbers
  const bad = numbers.findIndex((value) => (value | 0) !== value)
  if (bad >= 0) throw new Error(`${name} has the target ${numbers[bad]} in row ${firstRow + bad}; expected the index of a class, as the logits are ${shapeText(['rows', ...rest])}`)
  return Int32Array.from(numbers)
}

/** Whether a file's rows hold logits and targets side by side. */
function isTable(file: string): boolean {
  return !/\.np[yz]$/i.test(file)
}
