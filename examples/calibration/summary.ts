import { formatDifference, formatInterval, intervalOf, pairedInterval, type Interval } from '../cell-detector/intervals.js'
import type { TextTable } from '../cell-detector/tables.js'
import type { Comparison, Score } from './compare.js'

/** One setting with the scores of every seed. */
export interface Summary {
  readonly name: string
  /** Of the true posterior. */
  readonly best: number
  readonly table: TextTable
  readonly verdict: string
}

/** `comparisons`: of one setting, one for each seed; the first variant is cross entropy. */
export function summarise(comparisons: readonly Comparison[]): Summary {
  const [{ setting, scores }] = comparisons
  const rows = scores.map((_, v) => rowOf(comparisons, v))
  return {
    name: setting.name,
    best: mean(comparisons.map(({ best }) => best)),
    table: {
      head: ['trained with', 'accuracy %', 'against CE', 'log loss', 'calibration error %', 'against CE', 'with toProbability %', 'temperature'],
      rows: rows.map(({ name, cells }) => [name, ...cells]),
    },
    verdict: rows.slice(1).map(sentence).join(' '),
  }
}

interface Row {
  readonly name: string
  readonly cells: readonly string[]
  readonly accuracy: Interval
  readonly error: Interval
}

function rowOf(comparisons: readonly Comparison[], v: number): Row {
  const of = (value: (score: Score) => number, variant = v) => comparisons.map(({ scores }) => value(scores[variant]))
  const against = (value: (score: Score) => number) => pairedInterval(of(value), of(value, 0))
  const accuracyOf = ({ accuracy }: Score) => 100 * accuracy
  const errorOf = ({ calibrationError }: Score) => 100 * calibrationError
  const [accuracy, error] = [against(accuracyOf), against(errorOf)]
  const { name, focal } = comparisons[0].scores[v]
  return {
    name,
    accuracy,
    error,
    cells: [
      mean(of(accuracyOf)).toFixed(1),
      v === 0 ? '' : formatDifference(accuracy, 2),
      mean(of(({ logLoss }) => logLoss)).toFixed(3),
      formatInterval(intervalOf(of(errorOf)), 2),
      v === 0 ? '' : formatDifference(error, 2),
      // Of cross entropy toProbability is the softmax itself
      focal ? mean(of(({ recalibrated }) => 100 * recalibrated)).toFixed(1) : '',
      mean(of(({ temperature }) => temperature)).toFixed(2),
    ],
  }
}

function sentence({ name, accuracy, error }: Row): string {
  const change = (interval: Interval, down: string, up: string) =>
    Math.abs(interval.mean) <= interval.half ? 'no change that can be told from chance' : `${interval.mean < 0 ? down : up} (${formatDifference(interval, 2)} points)`
  return `${name}: calibration ${change(error, 'better', 'worse')}; accuracy ${change(accuracy, 'lower', 'higher')}.`
}

function mean(values: readonly number[]): number {
  return values.reduce((a, b) => a + b, 0) / values.length
}
