/** The totals of the panel as code. */
import type { Code } from '../../ui/code.js'
import { optionsText, pytorchCode, tfjsCode } from '../loss_code.js'
import { groupNames, type PopulationOptions, scores } from './population.js'

export interface ImbalanceSettings extends PopulationOptions {
  readonly gamma: number
  readonly alpha: number | null
}

export function imbalanceCode({ gamma, alpha, easy, hard, positives, prior, trained }: ImbalanceSettings, bias: number): Code {
  const counts = [easy, hard, positives]
  const groups = groupNames.map((name, i) => {
    const { mean, deviation } = scores[name]
    return `  { name: '${name}', label: ${name === 'positives' ? 1 : 0}, count: ${counts[i]}, mean: bias + ${trained * mean}, deviation: ${trained * deviation} },`
  })
  return {
    node: `import { presets, SigmoidFocalLoss } from 'focal-loss'

// The last layer's bias before training, as in the RetinaNet paper: every example has p = ${prior}
const bias = Math.log(${prior} / (1 - ${prior}))
const groups = [
${groups.join('\n')}
]
const losses = {
  'cross entropy': new SigmoidFocalLoss({ ...presets.crossEntropy, reduction: 'sum' }),
  'focal loss': new SigmoidFocalLoss({ ${optionsText({ gamma, alpha })}, reduction: 'sum' }),
}

// Logits of each group are normal; 10,000 of them stand for all, by their weights
const normal = () => Math.sqrt(-2 * Math.log(1 - Math.random())) * Math.cos(2 * Math.PI * Math.random())
for (const [name, loss] of Object.entries(losses)) {
  let total = 0
  for (const { label, count, mean, deviation } of groups) {
    const logits = Float64Array.from({ length: 10_000 }, () => mean + deviation * normal())
    const labels = new Uint8Array(logits.length).fill(label)
    total += loss.value(logits, labels, { weights: new Float64Array(logits.length).fill(count / logits.length) })
  }
  console.log(\`\${name}: total loss \${total.toPrecision(5)}\`)
}
`,
    tfjs: tfjsCode({ gamma, alpha }, prior),
    pytorch: pytorchCode({ gamma, alpha }, prior, bias),
  }
}
