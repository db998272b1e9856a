/** Which columns of a table are the logits, and which the targets. */

/** What the command line says of a table. Lists of names, or of places from 1 on. */
export interface ColumnChoice {
  /** The logits. */
  readonly columns?: readonly string[]
  readonly targetColumns?: readonly string[]
}

/** What is wanted of a table: both, or one of them where the other is in another file. */
export type Role = 'both' | 'logits' | 'targets'

/** Places of columns, from 0 on. */
export interface ChosenColumns {
  readonly logits: readonly number[]
  readonly targets: readonly number[]
}

/** What a column of targets may be called. */
export const TARGET_NAMES: readonly string[] = ['target', 'targets', 'label', 'labels']

/** `names` are empty where the table has none for its `count` columns. */
export function chooseColumns(table: string, names: readonly string[], count: number, role: Role, choice: ColumnChoice): ChosenColumns {
  const placeOf = (name: string): number => {
    const named = names.indexOf(name)
    if (named >= 0) return named
    const place = Number(name)
    if (Number.isInteger(place) && place >= 1 && place <= count) return place - 1
    throw new Error(`${table} has no column ${name}; expected ${names.length > 0 ? `one of ${shortened(names)}, or ` : ''}a number from 1 to ${count}`)
  }
  const all = Array.from({ length: count }, (_, place) => place)
  const given = { logits: choice.columns?.map(placeOf), targets: choice.targetColumns?.map(placeOf) }
  if (role === 'logits') return { logits: given.logits ?? all, targets: [] }
  if (role === 'targets') return { logits: [], targets: given.targets ?? all }
  const targets = given.targets ?? defaultTargets(table, names, count)
  const logits = given.logits ?? all.filter((place) => !targets.includes(place))
  if (logits.length === 0) throw new Error(`${table} has one column; expected logits and a target beside them, or --targets with another file`)
  return { logits, targets }
}

function defaultTargets(table: string, names: readonly string[], count: number): number[] {
  if (names.length === 0) return [count - 1]
  const found = names.findIndex((name) => TARGET_NAMES.includes(name.toLowerCase()))
  if (found < 0) throw new Error(`${table} has no column target; expected --target-columns with one of ${shortened(names)}`)
  return [found]
}

function shortened(names: readonly string[]): string {
  return names.length > 12 ? `${names.slice(0, 10).join(', ')} ... ${names[names.length - 1]}` : names.join(', ')
}
