/** Does focal loss calibrate an over-trained network? Beside a temperature, label smoothing and toProbability. See README.md. */
import { writeFile } from 'node:fs/promises'
import { startProgress } from '../cell-detector/progress.js'
import { formatTable } from '../cell-detector/tables.js'
import { compare, SETTINGS, type Comparison } from './compare.js'
import { renderReport } from './report.js'
import { summarise } from './summary.js'

const SEEDS = 10
const REPORT = 'calibration.html'

const started = performance.now()
const progress = startProgress('Training', SEEDS * SETTINGS.length)
const comparisons: Comparison[] = []
for (let seed = 1; seed <= SEEDS; seed++) {
  for (const comparison of compare(seed)) {
    comparisons.push(comparison)
    progress.advance()
  }
}
progress.stop()

const settings = SETTINGS.map(({ name }) => {
  const of = comparisons.filter(({ setting }) => setting.name === name)
  return { comparisons: of, summary: summarise(of) }
})
for (const { summary } of settings) console.log(`\n${summary.name}, ${SEEDS} seeds:\n${formatTable(summary.table)}\n${summary.verdict}`)
await writeFile(REPORT, await renderReport(settings, `Generated points of ten overlapping classes, ${SEEDS} seeds.`))
console.log(`\nReport: ${REPORT}. Took ${((performance.now() - started) / 1000).toFixed(0)} s.`)
