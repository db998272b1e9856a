/** A finished run as a table, as lines of a chart, and as text to be passed on. */
import { backends } from 'focal-loss'
import packageJson from '../../../package.json' with { type: 'json' }
import type { BenchCase } from '../../../src/cli/bench/cases.js'
import { measuredCells, measuredHead, type Measurement } from '../../../src/cli/bench/result.js'
import { significant } from '../../../src/cli/output/numbers.js'
import { alignColumns } from '../../../src/cli/output/table.js'
import type { LineContent } from '../../chart/line_chart.js'
import { decades } from '../../chart/scale.js'
import { type Look, looks } from '../../chart/series.js'
import type { TableContent } from '../../ui/table.js'
import { GPU } from './gpu.js'
import { plainLoop } from './measured.js'

const lookOf: Readonly<Record<string, Look>> = { wasm: looks.focal, js: looks.weighted, [plainLoop.who]: looks.crossEntropy, [GPU]: looks.smoothed }

/** Times; bytes a second are in the text alone. */
const SHOWN = 3

export function tableOf(measurements: readonly Measurement[], title: string): TableContent {
  return {
    caption: `Loss and gradient in one call: ${title}`,
    head: ['logits', 'backend', ...measuredHead.slice(0, SHOWN)],
    rows: measurements.map((row) => [significant(row.elements), row.who, ...measuredCells(row).slice(0, SHOWN)]),
  }
}

export function namesOf(measurements: readonly Measurement[]): string[] {
  return [...new Set(measurements.map(({ who }) => who))]
}

export function lookOfBackend(name: string): Look {
  return lookOf[name] ?? looks.crossEntropy
}

export function chartOf(measurements: readonly Measurement[], at: number): LineContent {
  const values = measurements.map(({ nanosecondsPerElement }) => Math.log10(nanosecondsPerElement))
  const [low, high] = [Math.floor(Math.min(0, ...values)), Math.ceil(Math.max(2, ...values))]
  const series = namesOf(measurements).map((name) => {
    const points = measurements.filter(({ who }) => who === name).map(({ elements, nanosecondsPerElement }) => [elements, nanosecondsPerElement] as const)
    return { name, look: lookOfBackend(name), points, marks: points }
  })
  return {
    x: decades('logits in a call', 1, 6),
    y: decades('nanoseconds per logit', low, high),
    series,
    at,
    summary: measurements.map((row) => `${row.who}, ${significant(row.elements)} logits: ${significant(row.nanosecondsPerElement)} ns`).join('; '),
  }
}

/** How many times less the kernel takes on the largest problem than the loop by hand, or where there is none than the js backend. */
export function gainOf(measurements: readonly Measurement[]): { readonly against: string; readonly times: number } | undefined {
  const largest = Math.max(...measurements.map(({ elements }) => elements))
  const timeOf = (name: string) => measurements.find(({ who, elements }) => who === name && elements === largest)?.nanosecondsPerElement
  const [wasm, loop, js] = [timeOf('wasm'), timeOf(plainLoop.who), timeOf('js')]
  if (wasm === undefined) return undefined
  if (loop !== undefined) return { against: 'a plain loop by hand', times: loop / wasm }
  return js === undefined ? undefined : { against: 'the js backend', times: js / wasm }
}

export function textOf(measurements: readonly Measurement[], { title }: BenchCase, dtype: string): string {
  const head = ['logits', 'backend', ...measuredHead]
  return [
    `focal-loss ${packageJson.version}, ${navigator.userAgent}, ${navigator.hardwareConcurrency} processors`,
    ...backends().flatMap(({ name, available, description }) => (available ? [`${name}: ${description}`] : [])),
    '',
    `${title}, ${dtype}`,
    ...alignColumns([head, ...measurements.map((row) => [significant(row.elements), row.who, ...measuredCells(row)])], 2),
    '',
    'Loss and gradient in one call, medians; results were checked before they were timed.',
  ].join('\n')
}
