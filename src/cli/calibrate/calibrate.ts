/** `focal-loss calibrate`: the probabilities that logits stand for, of files of any size. */
import { rename } from 'node:fs/promises'
import type { Logits } from 'focal-loss'
import { areFrom0To1 } from '../../analysis/evaluate/probable.js'
import { noun, reasonOf } from '../../errors.js'
import { expectWritable } from '../explain/expect_writable.js'
import { notesOf } from '../explain/explained.js'
import { type ArrayReader, product } from '../explain/files/array_reader.js'
import type { OpenOptions } from '../explain/files/files.js'
import { logitReader, mayBeProbabilities } from '../explain/files/logits.js'
import type { BitsDtype } from '../explain/files/npy_items.js'
import { diskFiles } from '../explain/files/open.js'
import { type LossName, makeLoss } from '../explain/losses.js'
import { expectNoColumns } from '../explain/files/source.js'
import { namedOf } from '../explain/question.js'
import { type Format, withFile } from '../explain/standard_input.js'
import { fullNameOf, whole } from '../explain/tables.js'
import { startProgress } from '../output/progress.js'
import { isOfWriting, notWritten, removed } from '../output/write_file.js'
import { writerOf } from './writers.js'

export interface CalibrateOptions extends Omit<OpenOptions, 'arrays'> {
  readonly loss: LossName
  readonly gamma?: number
  readonly alpha?: number | 'none'
  readonly temperature?: number
  readonly out: string
  readonly inputs: 'logits' | 'probabilities'
  readonly dtype?: BitsDtype
  readonly shape?: readonly number[]
  readonly classAxis?: number
  readonly logitsArray: string
  /** Of standard input. */
  readonly format?: Format
}

/** Logits in a chunk. */
const CHUNK = 1 << 18

/** Returns what is to be said of it. */
export async function calibrateFile(file: string, options: CalibrateOptions): Promise<string> {
  await expectWritable('--out', options.out, [file])
  return withFile(file, options.format, async (path, renamed) => renamed(await calibrate(path, options)))
}

/** Writes beside `out` and renames at the end: what is there is whole. */
async function calibrate(file: string, options: CalibrateOptions): Promise<string> {
  const { loss: name, gamma, alpha, temperature, out, inputs, dtype, shape, classAxis = -1, logitsArray } = options
  await diskFiles.expect(file)
  expectNoColumns(file, undefined, options)
  const loss = makeLoss(temperature === undefined ? name : name === 'softmax' ? 'softmax' : 'sigmoid', {
    background: null,
    ignoreIndex: null,
    // With gamma 0 and no alpha, a logit's probability is its own
    ...(temperature === undefined ? { ...(gamma !== undefined && { gamma }), ...(alpha !== undefined && { alpha: alpha === 'none' ? null : alpha }) } : { gamma: 0, alpha: null }),
  })
  const perRow = name === 'softmax'
  const reader = await diskFiles.openArray(file, 'logits', { ...options, arrays: { logits: logitsArray, targets: '' } }, { shape, dtype, firstAxisLast: () => false })
  const temporary = `${out}.part`
  const progress = startProgress(1)
  try {
    const { rest, axis } = axesOf(file, reader, classAxis)
    if (perRow && rest[axis - 1] === 1) throw new Error(`${file} has one logit a row; expected a row of classes for a softmax (--shape tells it of a .npy file)`)
    const elements = product(rest)
    const toLogits = logitReader(file, { rest, classAxis: axis, elements, targets: elements }, { inputs, perRow })
    const writer = await writerOf(out, temporary, reader.rest)
    let rows = 0
    let from0To1 = inputs === 'logits'
    try {
      for (;;) {
        const numbers = await reader.read(Math.max(1, Math.floor(CHUNK / Math.max(1, elements))) * elements)
        const count = elements === 0 ? 0 : numbers.length / elements
        if (count === 0) break
        const logits = toLogits(numbers, rows)
        from0To1 &&= areFrom0To1(logits)
        await writer.write(loss.toProbability(cooled(logits, temperature), { shape: [count, ...rest], classAxis: axis }))
        rows += count
        progress.advance(count / (reader.rows ?? Infinity))
      }
    } finally {
      await writer.close(rows)
    }
    await rename(temporary, out)
    const how = temperature === undefined ? `as trained with the loss ${name}, ${fullNameOf(namedOf(loss.options))}` : `at temperature ${temperature}`
    const warnings = rows > 0 && from0To1 ? [`warning: ${mayBeProbabilities(file)}`] : []
    const columns = notesOf(new Map(reader.taken === undefined ? [] : [[reader.name, reader.taken]]))
    return [...columns, `${out}: the probabilities of ${whole(rows * elements)} ${noun(rows * elements, 'logit')} of ${file}, ${how}`, ...warnings].join('\n')
  } catch (error) {
    await removed(temporary)
    if (isOfWriting(error)) throw notWritten('--out', out, error)
    throw error instanceof Error ? error : new Error(reasonOf(error))
  } finally {
    progress.stop()
    await reader.close()
  }
}

/** The axes but the first, and which of them (counted with it) has the classes. */
function axesOf(file: string, { rest: given }: ArrayReader, classAxis: number) {
  // One axis alone: a logit a row
  const rest = given.length === 0 ? [1] : given
  const rank = rest.length + 1
  const axis = classAxis < 0 ? classAxis + rank : classAxis
  if (axis < 1 || axis >= rank) throw new Error(`--class-axis is ${classAxis}; expected an axis of ${file} other than the first`)
  return { rest, axis }
}

function cooled(logits: Logits, temperature = 1): Logits {
  return temperature === 1 ? logits : Float64Array.from(logits, (x) => x / temperature)
}
