/**
 * Reads Arrow IPC, files (Feather version 2) and streams, one record batch after another: a file is a stream between two marks, with a footer.
 * Flechette decodes the messages; here they are found, so that one alone is in memory. https://arrow.apache.org/docs/format/Columnar.html
 */
import { counted } from '../../../errors.js'
import { type Batch, CompressionType, type DataType, setCompressionCodec, type Table, tableFromIPC, Type } from '@uwdata/flechette'
import type { TableReader } from './array_reader.js'
import { DICTIONARY, describedMessage, RECORDS, SCHEMA } from './arrow_message.js'
import { type Bytes, fileBytes } from './bytes.js'
import { put, widthOf } from './cells.js'
import { chooseColumns, type ColumnChoice, type Role, takenOf } from './columns.js'
import { pandasIndex } from './column_names.js'
import { damageOf, expectLength } from './damage.js'
import { lz4Frame } from './lz4.js'
import { zstd } from './zstd.js'

const MAGIC = 'ARROW1'
/** Of the first version of Feather, which is another format. */
const OLD_MAGIC = 'FEA1'
/** What a message begins with, before its length. */
const CONTINUATION = 0xffffffff
/** Integers of 64 bits as they are: an id may have more digits than a number. */
const EXTRACTION = { useBigInt: true }

setCompressionCodec(CompressionType.LZ4_FRAME, { encode: unused, decode: (input, length) => lz4Frame(input, expectLength(input.length, length, 'lz4')) })
setCompressionCodec(CompressionType.ZSTD, { encode: unused, decode: zstd })

/** The chosen columns of a table, logits before targets. A column may hold lists of numbers, as long in every row. */
export async function arrowReader(name: string, role: Role, choice: ColumnChoice): Promise<TableReader> {
  const file = await openArrow(name)
  try {
    const { names, types, index } = file
    const columnsOf = { names, count: names.length, index }
    const chosen = chooseColumns(name, columnsOf, role, choice)
    const places = [...chosen.logits, ...chosen.targets]
    const bad = places.find((place) => !isNumeric(types[place]))
    if (bad !== undefined) throw new Error(`column ${names[bad]} of ${name} holds no numbers; expected integers, floats, booleans or lists of them`)
    let [batch, row, done] = [await file.next(places), 0, 0]
    // A batch may be empty
    while (batch?.rows === 0) batch = await file.next(places)
    const first = batch
    const cellOf = (r: number, c: number) => `${name}, row ${r}: column ${names[places[c]]}`
    const widths = places.map((_, c) => (first === undefined ? 1 : widthOf(first.rows, (r) => first.at(c, r), (r) => cellOf(r, c))))
    const width = widths.reduce((a, b) => a + b, 0)
    return {
      name,
      rows: null,
      rest: [width],
      flat: false,
      logits: widths.slice(0, chosen.logits.length).reduce((a, b) => a + b, 0),
      integers: chosen.targets.every((place) => isInteger(types[place])),
      taken: takenOf(columnsOf, chosen),
      async read(count) {
        const numbers = new Float64Array(count - (count % width))
        let filled = 0
        while (batch !== undefined && filled < numbers.length) {
          if (row === batch.rows) {
            batch = await file.next(places)
            row = 0
            continue
          }
          for (let c = 0; c < places.length; c++) {
            filled = put(cellOf(done, c), batch.at(c, row), widths[c], c >= chosen.logits.length, numbers, filled)
          }
          row++
          done++
        }
        return numbers.subarray(0, filled)
      },
      progress: () => file.progress(),
      close: () => file.close(),
    }
  } catch (error) {
    await file.close()
    throw error
  }
}

interface Rows {
  readonly rows: number
  /** The cell of the chosen column `c`. */
  at(c: number, row: number): unknown
}

async function openArrow(name: string) {
  const bytes = await fileBytes(name)
  const damaged = (error: unknown) => new Error(`${name} is no Arrow file, or a damaged one (${damageOf(error)})`, { cause: error })
  try {
    const messages = await messagesOf(bytes)
    const schema = await messages.next()
    if (schema?.kind !== SCHEMA) throw new Error('it does not begin with a schema')
    const { schema: described } = tableFromIPC([schema.bytes])
    const dictionaries: Uint8Array[] = []
    return {
      names: described.fields.map((field) => field.name ?? ''),
      types: described.fields.map((field) => field.type),
      index: pandasIndex(described.metadata?.get('pandas')),
      async next(places: readonly number[]): Promise<Rows | undefined> {
        try {
          for (let message = await messages.next(); message !== undefined; message = await messages.next()) {
            if (message.kind === DICTIONARY) dictionaries.push(message.bytes)
            else if (message.kind === RECORDS) return rowsOf(tableFromIPC([schema.bytes, ...dictionaries, message.bytes], EXTRACTION), places)
          }
          return undefined
        } catch (error) {
          throw damaged(error)
        }
      },
      progress: () => messages.progress(),
      close: () => bytes.close(),
    }
  } catch (error) {
    await bytes.close()
    throw damaged(error)
  }
}

/** Messages with all of their bytes, each in memory of its own; none at the end. */
async function messagesOf(bytes: Bytes) {
  const { size, at } = bytes as Required<Bytes>
  const read = async (position: number, count: number) => {
    if (count > size - position) throw new Error(`it has ${counted(size, 'byte')}; expected ${position + count}`)
    const to = new Uint8Array(count)
    await at(position, to)
    return to
  }
  const text = async (position: number, count: number) => Buffer.from(await read(Math.max(0, position), Math.min(size, count))).toString('latin1')
  const first = await text(0, MAGIC.length)
  if (first.startsWith(OLD_MAGIC)) throw new Error('it is of version 1 of Feather; expected version 2, as pyarrow.feather.write_feather writes')
  const isFile = first === MAGIC
  if (isFile && (await text(size - MAGIC.length, MAGIC.length)) !== MAGIC) throw new Error('it is cut off')
  let position = isFile ? 8 : 0
  return {
    progress: () => position / size,
    async next() {
      // A stream may end without a mark
      if (position === size) return undefined
      const head = new DataView((await read(position, 8)).buffer)
      if (head.getUint32(0, true) !== CONTINUATION) throw new Error(`there is no message at byte ${position}`)
      const length = head.getUint32(4, true)
      if (length === 0) {
        position = size
        return undefined
      }
      const { kind, body } = describedMessage(new DataView((await read(position + 8, length)).buffer))
      const whole = await read(position, 8 + length + body)
      position += whole.length
      return { kind, bytes: whole }
    },
  }
}

function rowsOf(table: Table, places: readonly number[]): Rows {
  const columns = places.map((place) => table.getChildAt<unknown>(place))
  for (const { data } of columns) data.forEach(expectWhole)
  return {
    rows: table.numRows,
    at(c, row) {
      const value = columns[c].at(row)
      // Bytes are no list to others
      return value instanceof Uint8Array ? Array.from(value) : value
    },
  }
}

/** Throws where a batch says that it has more than its buffers hold. */
function expectWhole(batch: Batch<unknown>): void {
  const { length, nullCount, type, validity, values, offsets, children } = batch
  const expect = (holds: boolean) => {
    if (!holds) throw new Error('a batch has more rows than its buffers hold')
  }
  expect(nullCount === 0 || validity === undefined || validity.length * 8 >= length)
  if (type.typeId === Type.List || type.typeId === Type.LargeList) {
    const [child] = children
    expect(offsets.length > length || length === 0)
    for (let row = 0; row < length; row++) expect(offsets[row] <= offsets[row + 1])
    expect(length === 0 || (Number(offsets[0]) >= 0 && Number(offsets[length]) <= child.length))
  } else if (type.typeId === Type.FixedSizeList) expect(type.stride >= 0 && children[0].length >= length * type.stride)
  else if (values !== undefined) expect(values.byteLength * 8 >= length * bitsOf(type))
  children?.forEach(expectWhole)
}

/** What a value takes of its buffer. */
function bitsOf(type: DataType): number {
  if (type.typeId === Type.Int || type.typeId === Type.Decimal) return type.bitWidth
  if (type.typeId === Type.Float) return 16 << type.precision
  return type.typeId === Type.Dictionary ? type.indices.bitWidth : 1
}

function isNumeric(type: DataType): boolean {
  if (isList(type)) return !isList(type.children[0].type) && isNumeric(type.children[0].type)
  if (type.typeId === Type.Dictionary) return isNumeric(type.dictionary)
  return [Type.Int, Type.Float, Type.Bool, Type.Decimal].some((one) => one === type.typeId)
}

function isInteger(type: DataType): boolean {
  if (isList(type)) return isInteger(type.children[0].type)
  return type.typeId === Type.Dictionary ? isInteger(type.dictionary) : type.typeId === Type.Int
}

function isList(type: DataType): type is Extract<DataType, { children: unknown }> {
  return [Type.List, Type.LargeList, Type.FixedSizeList].some((one) => one === type.typeId)
}

/** Nothing is written here. */
function unused(): never {
  throw new Error('there is no compressor')
}
