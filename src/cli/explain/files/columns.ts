/** Which columns of a table are the logits, and which the targets. */
import { namesText, printable } from '../../output/printable.js'
import { isIndexName, isTargetName, predictionsByName, targetsByName } from './column_names.js'

/** What the command line says of a table. Lists of names, or of places from 1 on. */
export interface ColumnChoice {
  /** The logits. */
  readonly columns?: readonly string[]
  readonly targetColumns?: readonly string[]
  /** Whether the first line of text is a header; it is looked at where this says nothing. */
  readonly header?: boolean
  /** Which columns are looked for by their names. */
  readonly inputs?: 'logits' | 'probabilities'
}

/** What is wanted of a table: both, or one of them where the other is in another file. */
export type Role = 'both' | 'logits' | 'targets'

/** What a file tells of its columns. */
export interface Columns {
  /** Empty where the table has none. */
  readonly names: readonly string[]
  readonly count: number
  /** Whether the names are 0, 1, 2, ...: then they say nothing. */
  readonly numbered?: boolean
  /** Whether the first column counts the rows. */
  readonly firstCounts?: boolean
  /** The names of the columns that the file itself calls its index. */
  readonly index?: readonly string[]
}

/** Places of columns, from 0 on. */
export interface ChosenColumns {
  readonly logits: readonly number[]
  readonly targets: readonly number[]
  /** Those that could have been taken: what they are called, and why they were not. */
  readonly leftOut: readonly string[]
}

export function chooseColumns(table: string, columns: Columns, role: Role, choice: ColumnChoice): ChosenColumns {
  const all = Array.from({ length: columns.count }, (_, place) => place)
  const given = {
    logits: choice.columns?.map((name) => placeOf(table, columns, name)),
    targets: choice.targetColumns?.map((name) => placeOf(table, columns, name)),
  }
  const leftOut: string[] = []
  const leave = (places: readonly number[], why: (place: number) => string | undefined) =>
    places.filter((place) => {
      const reason = why(place)
      if (reason !== undefined) leftOut.push(`${titleOf(columns, place)} (${reason})`)
      return reason === undefined
    })

  if (role === 'targets') {
    const byName = named(table, columns)
    const targets = given.targets ?? (byName.length > 0 ? byName : leave(all, (place) => indexReason(columns, place, all.length)))
    if (targets.length === 0) throw new Error(`${table} has nothing but ${leftOut.join(', ')}; expected --target-columns`)
    return { logits: [], targets, leftOut }
  }
  const targets = role === 'logits' ? [] : (given.targets ?? defaultTargets(table, columns))
  if (given.logits !== undefined) return { logits: given.logits, targets, leftOut }
  const others = all.filter((place) => !targets.includes(place))
  if (others.length === 0) throw new Error(`${table} has one column; expected logits and a target beside them, or --targets with another file`)
  const data = leave(others, (place) => indexReason(columns, place, others.length) ?? (role === 'logits' && isTargetName(columns.names[place] ?? '') ? 'targets, by its name' : undefined))
  const predictions = columns.names.length > 0 ? predictionsByName(columns.names, data, choice.inputs ?? 'logits') : []
  const family = predictions.map((place) => columns.names[place])
  const logits = predictions.length > 0 ? leave(data, (place) => (predictions.includes(place) ? undefined : `as there is ${family[0]}`)) : data
  if (logits.length === 0) throw new Error(`${table} has no column of logits beside ${[...targets.map((place) => titleOf(columns, place)), ...leftOut].join(', ')}; expected one, or --columns`)
  return { logits, targets, leftOut }
}

/** What was taken of a table, by what its columns are called. */
export interface TakenColumns {
  readonly logits: readonly string[]
  readonly targets: readonly string[]
  readonly leftOut: readonly string[]
  /** What else there is to be said. */
  readonly notes: readonly string[]
  /** Whether the table was read without a header. */
  readonly untitled: boolean
}

export function takenOf(columns: Columns, { logits, targets, leftOut }: ChosenColumns, notes: readonly string[] = []): TakenColumns {
  const titles = (places: readonly number[]) => places.map((place) => titleOf(columns, place))
  return { logits: titles(logits), targets: titles(targets), leftOut, notes, untitled: columns.names.length === 0 }
}

/** In a sentence. */
export function takenText(table: string, { logits, targets, leftOut }: TakenColumns): string {
  const parts = [logits.length > 0 ? `logits from ${namesText(logits)}` : '', targets.length > 0 ? `targets from ${namesText(targets)}` : '', leftOut.length > 0 ? `left out: ${namesText(leftOut)}` : '']
  return `${table}: ${parts.filter((part) => part !== '').join('; ')}`
}

/** As sentences call a column. */
function titleOf({ names, numbered }: Columns, place: number): string {
  if (names.length === 0) return `column ${place + 1}`
  if (names[place] === '') return `column ${place + 1} without a name`
  const title = printable(names[place], 40)
  return numbered === true ? `'${title}'` : title
}

/** Why a column numbers or names the rows, if it does; `of` is how many columns there are to choose from. */
function indexReason({ names, index, firstCounts }: Columns, place: number, of: number): string | undefined {
  const counting = place === 0 && firstCounts === true
  if (index?.includes(names[place])) return "pandas' index"
  // Without a header, one column alone is what was meant
  if (names.length === 0) return counting && of > 1 ? 'an index: it counts the rows' : undefined
  if (names[place] === '') return counting ? 'an index: it counts the rows' : 'an index, having no name'
  return isIndexName(names[place]) ? 'an index, by its name' : undefined
}

function placeOf(table: string, { names, count }: Columns, name: string): number {
  const found = names.indexOf(name)
  if (found >= 0) {
    if (names.lastIndexOf(name) > found) throw new Error(`${table} has several columns ${name}; expected a number from 1 to ${count}`)
    return found
  }
  const place = Number(name)
  if (Number.isInteger(place) && place >= 1 && place <= count) return place - 1
  throw new Error(`${table} has no column ${name}; expected ${names.length > 0 ? `one of ${namesText(names)}, or ` : ''}a number from 1 to ${count}`)
}

/** The targets by their names. */
function named(table: string, { names }: Columns): readonly number[] {
  const { places, numbered } = targetsByName(names)
  if (places.length > 1 && !numbered) throw new Error(`${table} has the columns ${places.map((place) => printable(names[place], 40)).join(' and ')}; expected --target-columns with the one that holds the targets`)
  return places
}

function defaultTargets(table: string, columns: Columns): readonly number[] {
  const { names, count, numbered } = columns
  if (names.length === 0 || numbered === true) return [count - 1]
  const places = named(table, columns)
  if (places.length === 0) throw new Error(`${table} has no column target; expected --target-columns with one of ${namesText(names)}`)
  return places
}
