/** The report as text tables, for the terminal and the page. */
import type { ExplainedLoss } from 'focal-loss'
import type { ExplainedFiles } from './explained.js'
import { noun } from '../../errors.js'
import { significant } from '../output/numbers.js'
import { fittedColumns } from '../output/table.js'
import { wrapped } from '../output/wrap.js'

export interface TextTable {
  readonly title: string
  readonly head: readonly string[]
  readonly rows: readonly (readonly string[])[]
  /** How many columns, from the left, are text. */
  readonly left: number
}

export interface TextTables {
  /** What was taken of files, and what is to be said of it. */
  readonly notes: readonly string[]
  /** What the tables are of. */
  readonly summary: string
  readonly tables: readonly TextTable[]
}

export function tablesOf(explained: ExplainedFiles): TextTables {
  const { file, targets, loss, classes, notes, warnings, example, losses } = explained
  const { positives, negatives } = losses[0]
  const of = targets === file ? file : `${file} and ${targets}`
  const count = positives.count + negatives.count
  const what = example === 'row' ? `${noun(count, 'row')} of ${classes} classes` : `${noun(count, 'logit')}${classes === 1 ? '' : ` in rows of ${classes}`}`
  const groups = example === 'row' ? ['with a class', 'without'] : [noun(positives.count, 'positive'), noun(negatives.count, 'negative')]
  return {
    notes: [...notes, ...warnings.map((warning) => `warning: ${warning}`)],
    summary: `${of}: ${loss}, ${whole(count)} ${what}, ${whole(positives.count)} ${groups[0]}, ${whole(negatives.count)} ${groups[1]}`,
    tables: [
      totalsTable(explained),
      binsTable('loss', explained, 'lossShare'),
      binsTable('gradient', explained, 'gradientShare'),
      ...(losses[0].hardest.length > 0 ? [hardestTable(losses[0])] : []),
    ],
  }
}

/** Tables of at most `width` columns, and sentences of as many as `lines` says; whole ones without it. */
export function textOf({ notes, summary, tables }: TextTables, width: number, lines = Infinity): string {
  const text = ({ title, head, rows, left }: TextTable) => ['', ...wrapped(title, width, 0), ...fittedColumns([head, ...rows], left, width)]
  return [...[...notes, summary].flatMap((sentence) => wrapped(sentence, lines, 2)), ...tables.flatMap(text)].join('\n')
}

/** `gamma 2, alpha 0.25`; some losses have neither. */
export function nameOf({ gamma, alpha }: Pick<ExplainedLoss, 'gamma' | 'alpha'>): string {
  const named = [...(gamma === undefined ? [] : [`gamma ${gamma}`]), ...(typeof alpha === 'number' ? [`alpha ${alpha}`] : [])]
  return named.length > 0 ? named.join(', ') : 'its own options'
}

/** The same where it matters that there is no alpha. */
export function fullNameOf(loss: Pick<ExplainedLoss, 'gamma' | 'alpha'>): string {
  return `${nameOf(loss)}${loss.alpha === null ? ', no alpha' : ''}`
}

function totalsTable({ example, losses }: ExplainedFiles): TextTable {
  // Rows of a softmax without a class have no loss: the others have it all
  const both = <T>(...cells: readonly T[]) => (example === 'row' ? [] : cells)
  return {
    title: 'Loss and gradient, and the effective number of examples, (sum l)^2 / sum l^2 over the losses l',
    head: ['loss', 'sum', ...both('of positives'), 'gradient', ...both('of positives'), 'effective', ...both('positives', 'negatives')],
    rows: losses.map((one) => [
      nameOf(one),
      number(one.all.loss),
      ...both(percent(one.positives.lossShare)),
      number(one.all.gradient),
      ...both(percent(one.positives.gradientShare)),
      ...[one.all, ...both(one.positives, one.negatives)].map(({ effectiveCount }) => significant(effectiveCount)),
    ]),
    left: 1,
  }
}

function binsTable(of: string, { example, losses }: ExplainedFiles, share: 'lossShare' | 'gradientShare'): TextTable {
  // Rows of a softmax without a class have no p_t
  const groups = example === 'row' ? (['positives'] as const) : (['positives', 'negatives'] as const)
  return {
    title: `Share of the ${of} by p_t${example === 'row' ? '' : ': of positives + of negatives'}`,
    head: ['p_t', ...(example === 'row' ? ['rows'] : groups), ...losses.map(nameOf)],
    rows: losses[0].bins.map(({ from, to, ...counts }, i) => [
      `${shortest(from)} - ${shortest(to)}`,
      ...groups.map((group) => whole(counts[group].count)),
      ...losses.map(({ bins }) => groups.map((group) => percent(bins[i][group][share])).join(' + ')),
    ]),
    left: 1,
  }
}

function hardestTable(one: ExplainedLoss): TextTable {
  return {
    title: `The hardest under ${nameOf(one)}`,
    head: ['row', 'class', 'target', 'p_t', 'loss'],
    rows: one.hardest.map(({ row, class: of, positive, probability, loss }) => [
      String(row),
      String(of),
      positive ? 'positive' : 'negative',
      number(probability),
      number(loss),
    ]),
    left: 0,
  }
}

export function whole(count: number): string {
  return count.toLocaleString('en-US')
}

function number(value: number): string {
  return value !== 0 && Math.abs(value) < 1e-3 ? value.toExponential(2) : significant(value)
}

/** With digits where they tell something; `0 %` and `100 %` are exact. */
export function percent(share: number): string {
  if (share === 0 || share === 1) return `${100 * share} %`
  if (share < 0.0001) return '< 0.01 %'
  return `${(100 * share).toFixed(share < 0.00995 ? 2 : share < 0.0995 || share > 0.9 ? 1 : 0)} %`
}

/** An edge without the noise of binary fractions. */
export function shortest(edge: number): string {
  return String(Number(edge.toPrecision(6)))
}
