/** Logits and their targets, from one file or two, some rows at a time, wherever the files are. */
import { counted } from '../../../errors.js'
import { type Source, sourceOf } from './chunks.js'
import type { ColumnChoice } from './columns.js'
import type { Files, SourceOptions } from './files.js'
import { twoArrays } from './two_arrays.js'

export async function openSource(files: Files, options: SourceOptions): Promise<Source> {
  const { file, targets, shape, classAxis, dtype } = options
  await files.expect(file)
  if (targets !== undefined) await files.expect(targets)
  if (dtype !== undefined && isTable(file)) throw new Error(`--dtype is given for ${file}; expected it for .npy, .npz and .safetensors files`)
  expectNoColumns(file, targets, options)
  if (targets !== undefined || !isTable(file)) return twoArrays(files, options)
  if (shape !== undefined || classAxis !== undefined) throw new Error(`--shape or --class-axis is given for ${file}; expected neither, as every line of a table is a row`)
  return oneTable(files, options)
}

/** Throws if columns are chosen and neither file is a table. */
export function expectNoColumns(file: string, targets: string | undefined, { columns, targetColumns, header }: ColumnChoice): void {
  if ([file, targets ?? file].some(isTable) || (columns ?? targetColumns ?? header) === undefined) return
  throw new Error(`--columns, --target-columns or --header is given for ${file}; expected them for tables`)
}

async function oneTable(files: Files, options: SourceOptions): Promise<Source> {
  const reader = await files.openTable(options.file, 'both', options)
  const { name, logits: classes, rest, integers, taken } = reader
  const width = rest[0]
  const targets = width - classes
  const next = async (most: number) => {
    const numbers = await reader.read(most * width)
    const rows = numbers.length / width
    const column = (from: number, to: number) => Float64Array.from({ length: rows * (to - from) }, (_, k) => numbers[Math.floor(k / (to - from)) * width + from + (k % (to - from))])
    return { logits: column(0, classes), targets: column(classes, width) }
  }
  const parts = { names: { logits: name, targets: name }, integers, next, taken: new Map([[name, taken]]), progress: () => reader.progress(), close: () => reader.close() }
  try {
    if (targets !== classes && targets !== 1) throw new Error(`${name} has ${counted(targets, 'column')} of targets; expected 1, the index of a class, or ${classes}, one for each logit`)
    return sourceOf({ rest: [classes], classAxis: 1, elements: classes, targets }, parts, options)
  } catch (error) {
    await reader.close()
    throw error
  }
}

/** Whether a file's rows hold logits and targets side by side. */
function isTable(file: string): boolean {
  return !/\.(?:np[yz]|safetensors)$/i.test(file)
}
