import Table from 'cli-table3'
import type { FirstStep } from './first_step.js'
import { middle95 } from './resampling.js'
import type { Result } from './results.js'

/** A table as plain text cells: printed on the console, and written into the report. */
export interface TextTable {
  readonly head: readonly string[]
  readonly rows: readonly (readonly string[])[]
}

export function firstStepTable(steps: readonly FirstStep[]): TextTable {
  return {
    head: ['loss', 'bias', 'mean loss', 'from positives', 'mean |gradient|', 'from positives'],
    rows: steps.map((step) => [
      step.loss,
      `${step.start === 'zero bias' ? 'zero' : step.start} (${twoPlaces(step.bias)})`,
      significant(step.meanLoss),
      percent(step.lossShare),
      significant(step.meanGradient),
      percent(step.gradientShare),
    ]),
  }
}

export function resultTable(results: readonly Result[]): TextTable {
  return {
    head: ['trained with', 'average precision (95 %)', 'F1', 'training', 'in the loss'],
    rows: results.map((result) => {
      const [low, high] = middle95(result.resampled)
      const { seconds, lossSeconds } = result.training
      return [
        result.variant.name,
        `${result.averagePrecision.toFixed(3)} (${low.toFixed(2)} - ${high.toFixed(2)})`,
        result.testF1.toFixed(3),
        `${seconds.toFixed(1)} s`,
        `${lossSeconds.toFixed(2)} s (${percent(lossSeconds / seconds)})`,
      ]
    }),
  }
}

/** For the console. The first column is text, the others are numbers. */
export function formatTable({ head, rows }: TextTable): string {
  const table = new Table({
    head: [...head],
    colAligns: head.map((_, column) => (column === 0 ? 'left' : 'right')),
    style: { head: [], border: [], compact: true },
  })
  table.push(...rows.map((row) => [...row]))
  return table.toString()
}

export function percent(share: number): string {
  const value = 100 * share
  return `${value.toFixed(value < 0.995 ? 2 : value < 9.95 || value > 99 ? 1 : 0)} %`
}

function significant(value: number): string {
  return value >= 0.001 ? value.toPrecision(3) : value.toExponential(2)
}

/** Without the sign of a zero. */
function twoPlaces(value: number): string {
  return (Math.round(100 * value) / 100 || 0).toFixed(2)
}
