/**
 * What describes an Arrow message, a FlatBuffer: its kind, and how many bytes follow. Its lists are counted here, as the decoder believes their
 * lengths. https://github.com/apache/arrow/blob/main/format/Message.fbs
 */
import { counted } from '../../../errors.js'

/** Kinds of messages. */
export const SCHEMA = 1
export const DICTIONARY = 2
export const RECORDS = 3
/** The kind of a column's type that has a list of its own. */
const UNION = 14

type TableKind = 'schema' | 'column' | 'union' | 'records'

interface List {
  /** Where a table says where the list is, as all fields below. */
  readonly field: number
  /** Of an item. */
  readonly bytes: number
  /** What the items are, where they have lists. */
  readonly items?: TableKind
}

const LISTS: Readonly<Record<TableKind, readonly List[]>> = {
  schema: [
    { field: 6, bytes: 4, items: 'column' },
    { field: 8, bytes: 4 },
  ],
  column: [
    { field: 14, bytes: 4, items: 'column' },
    { field: 16, bytes: 4 },
  ],
  union: [{ field: 6, bytes: 4 }],
  records: [
    { field: 6, bytes: 16 },
    { field: 8, bytes: 16 },
    { field: 12, bytes: 8 },
  ],
}

/** The kind of the message that `view` describes, and the length in bytes of its body. Throws where its lists have more items than it has bytes for. */
export function describedMessage(view: DataView): { readonly kind: number; readonly body: number } {
  const root = tableAt(view, 0)
  const [kindAt, headerAt, bodyAt] = [fieldAt(view, root, 6), fieldAt(view, root, 8), fieldAt(view, root, 10)]
  const kind = kindAt === 0 ? 0 : view.getUint8(kindAt)
  const body = bodyAt === 0 ? 0 : Number(view.getBigInt64(bodyAt, true))
  if (!(body >= 0 && Number.isSafeInteger(body))) throw new Error(`a message has ${counted(body, 'byte')}`)
  if (headerAt !== 0) expectLists(view, tableAt(view, headerAt), kind)
  return { kind, body }
}

function expectLists(view: DataView, header: number, kind: number): void {
  // No two lists share their bytes: so lists that lead to each other come to an end
  let left = view.byteLength
  const visit = (table: number, lists: readonly List[]) => {
    for (const { field, bytes, items } of lists) {
      const at = fieldAt(view, table, field)
      if (at === 0) continue
      const start = at + view.getInt32(at, true)
      const count = view.getUint32(start, true)
      left -= count * bytes
      if (left < 0) throw new Error(`a list of ${counted(count, 'item')} is in a message of ${counted(view.byteLength, 'byte')}`)
      if (items !== undefined) for (let i = 1; i <= count; i++) visit(tableAt(view, start + 4 * i), LISTS[items])
    }
    if (lists === LISTS.column) visitType(table)
  }
  const visitType = (column: number) => {
    const [kindAt, typeAt] = [fieldAt(view, column, 8), fieldAt(view, column, 10)]
    if (kindAt !== 0 && typeAt !== 0 && view.getUint8(kindAt) === UNION) visit(tableAt(view, typeAt), LISTS.union)
  }
  if (kind === SCHEMA) visit(header, LISTS.schema)
  else if (kind === RECORDS) visit(header, LISTS.records)
  else if (kind === DICTIONARY) {
    const data = fieldAt(view, header, 6)
    if (data !== 0) visit(tableAt(view, data), LISTS.records)
  }
}

/** Where the table is to which the offset at `at` leads. */
function tableAt(view: DataView, at: number): number {
  return at + view.getInt32(at, true)
}

/** Where a table has a field; 0 where it has none. */
function fieldAt(view: DataView, table: number, field: number): number {
  const fields = table - view.getInt32(table, true)
  const offset = field < view.getUint16(fields, true) ? view.getUint16(fields + field, true) : 0
  return offset === 0 ? 0 : table + offset
}
