/** The result of a benchmark run, as plain data: the rows of the tables. */
import type { BenchProblem } from './cases.js'
import { summarise, type Summary } from './statistics.js'
import { duration, significant } from '../output/numbers.js'

export interface Measurement {
  readonly loss: string
  readonly dtype: string
  readonly elements: number
  readonly who: string
  readonly secondsPerCall: Summary
  readonly nanosecondsPerElement: number
  readonly elementsPerSecond: number
  readonly gigabytesPerSecond: number
  /** Its bytes a second as a share of memcpy's in the same run; `null` where memcpy was not measured. */
  readonly ofMemcpy: number | null
}

/** `memcpy` in bytes a second, read and written ones counted both. */
export function measurement(problem: BenchProblem, who: string, sample: readonly number[], memcpy: number | null): Measurement {
  const secondsPerCall = summarise(sample)
  const { median } = secondsPerCall
  return {
    loss: problem.case.name,
    dtype: problem.dtype,
    elements: problem.elements,
    who,
    secondsPerCall,
    nanosecondsPerElement: (median / problem.elements) * 1e9,
    elementsPerSecond: problem.elements / median,
    gigabytesPerSecond: problem.bytes / median / 1e9,
    ofMemcpy: memcpy === null ? null : problem.bytes / median / memcpy,
  }
}

/** The cells of a row, as every table shows them after its own first columns. */
export const measuredHead = ['per call', 'ns/logit', 'quartiles', 'logits/s', 'GB/s', 'of memcpy'] as const

export function measuredCells(row: Measurement): string[] {
  const { median, lowerQuartile, upperQuartile } = row.secondsPerCall
  const perElement = (seconds: number) => significant((seconds / row.elements) * 1e9)
  return [
    duration(median),
    significant(row.nanosecondsPerElement),
    `${perElement(lowerQuartile)} - ${perElement(upperQuartile)}`,
    `${significant(row.elementsPerSecond / 1e6)} M`,
    significant(row.gigabytesPerSecond),
    row.ofMemcpy === null ? '' : significant(row.ofMemcpy),
  ]
}
