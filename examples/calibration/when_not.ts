/** Two cases in which focal loss does not help: a long tail of classes, and a grid of learning rates that stops too low. See docs/when-not.md. */
import { formatTable } from '../cell-detector/tables.js'
import { longTail, rates, ratesTable, tailCounts, tailTable } from './tail.js'

const SEEDS = Array.from({ length: 10 }, (_, i) => i + 1)
const RATES = [0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03]

console.log(`A long tail (${tailCounts.join(', ')} points), ${SEEDS.length} seeds:\n${formatTable(tailTable(SEEDS.map(longTail)))}`)
console.log(`\nThe same at each learning rate:\n${formatTable(ratesTable(SEEDS.map((seed) => rates(seed, RATES)), RATES))}`)
