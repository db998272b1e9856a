/** The results as tables for a terminal. */
import Table from 'cli-table3'
import { cases } from '../src/cli/bench/cases.js'
import { measuredCells, measuredHead } from '../src/cli/bench/result.js'
import { significant } from '../src/cli/output/numbers.js'
import { oursNames, titleOf } from './contestants.js'
import { autoExcesses, ownRatios, peerRatios } from './ratios.js'
import type { Row } from './run.js'

/** Titled tables, those without rows left out. */
export function tablesOf(rows: readonly Row[]): string {
  const measured = cases.map(({ name, title }) => {
    const cells = rows
      .filter(({ loss }) => loss === name)
      .map((row) => [row.dtype, significant(row.elements), row.who, ...measuredCells(row)])
    return table(title, ['type', 'logits', 'contestant', ...measuredHead], cells, 3)
  })
  return [...measured, peerTable(rows), ownTable(rows), autoTable(rows)].filter((text) => text !== '').join('\n\n')
}

function peerTable(rows: readonly Row[]): string {
  const ratios = peerRatios(rows)
  const ours = namesIn(ratios)
  const cells = ratios.map(({ peer, elements, loss, against, times }) => [
    peer,
    loss === against ? loss : `${loss}, ours ${against}`,
    significant(elements),
    ...timesCells(times, ours),
  ])
  return table('Peers, float32: their time over that of', ['peer', 'loss', 'logits', ...ours], cells, 2)
}

function ownTable(rows: readonly Row[]): string {
  const ratios = ownRatios(rows)
  const ours = namesIn(ratios)
  const cells = ratios.map(({ loss, dtype, elements, times }) => [loss, dtype, significant(elements), ...timesCells(times, ours)])
  return table(`Time over that of ${titleOf('native-1')}`, ['loss', 'type', 'logits', ...ours], cells, 2)
}

type Times = Readonly<Record<string, number>>

function namesIn(ratios: readonly { readonly times: Times }[]): string[] {
  return oursNames.map(titleOf).filter((name) => ratios.some(({ times }) => name in times))
}

function timesCells(times: Times, names: readonly string[]): string[] {
  return names.map((name) => (name in times ? significant(times[name]) : ''))
}

function autoTable(rows: readonly Row[]): string {
  const cells = autoExcesses(rows).map(({ loss, dtype, elements, best, factor, seconds, within }) => [
    loss,
    dtype,
    best,
    significant(elements),
    factor.toFixed(2),
    `${(seconds * 1e6).toFixed(2)} us`,
    within ? 'yes' : 'NO',
  ])
  const head = ['loss', 'type', 'best fixed backend', 'logits', 'auto over it', 'longer by', 'within 10 % + 0.2 us']
  return table("The choice of 'auto'", head, cells, 3)
}

/** The first `left` columns are text. */
function table(title: string, head: readonly string[], rows: readonly (readonly string[])[], left: number): string {
  if (rows.length === 0) return ''
  const drawn = new Table({
    head: [...head],
    colAligns: head.map((_, column) => (column < left ? 'left' : 'right')),
    style: { head: [], border: [], compact: true },
  })
  drawn.push(...rows.map((row) => [...row]))
  return `${title}\n${drawn.toString()}`
}
