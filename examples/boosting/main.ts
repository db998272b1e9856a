/** Gradient boosting with this package's gradient and second derivative, and whether focal loss is worth it there. See README.md. */
import { formatTable } from '../cell-detector/tables.js'
import { compare } from './compare.js'
import { summaryTable, verdicts } from './summary.js'

const SEEDS = [1, 2, 3, 4, 5]

const started = performance.now()
const draws = SEEDS.map((seed) => [...compare(seed)])
console.log(`Means over ${SEEDS.length} draws of the data, each with a test set of its own:\n${formatTable(summaryTable(draws))}\n`)
console.log(`${verdicts(draws).join('\n')}\n\nTook ${((performance.now() - started) / 1000).toFixed(0)} s.`)
