/** The panel's focal loss as code: initial bias, the gradient of a step, and the evaluation after training. */
import type { Code } from '../../ui/code.js'
import { type LossNumbers, optionsText, pytorchCode, tfjsCode } from '../loss_code.js'

export function trainingCode(numbers: LossNumbers, prior: number, bias: number): Code {
  return {
    node: `import { evaluate, SigmoidFocalLoss } from 'focal-loss'

const loss = new SigmoidFocalLoss({ ${optionsText(numbers)}, reduction: 'mean' })
console.log('the last layer starts at', loss.priorBias(${prior}))

// In your training loop: logits of a batch, and what goes back into the network
const batch = { logits: Float32Array.of(1.2, -0.4, -2.1, 0.3), labels: [1, 0, 0, 1] }
const { value, grad } = loss.valueAndGrad(batch.logits, batch.labels)
console.log('loss', value, 'gradient', grad)

// On validation: scores as they stand, and recalibrated; with the threshold that has the best F1
const validation = { logits: Float32Array.of(1.5, -0.8, 0.2, -1.9, 0.9, -0.1), labels: [1, 0, 1, 0, 1, 0] }
const { raw, recalibrated, best } = evaluate(validation.logits, validation.labels, { loss })
console.log('average precision', raw.averagePrecision, 'threshold', raw.thresholds.bestF1.probability)
console.log('log loss', raw.logLoss, 'recalibrated', recalibrated.logLoss, 'better:', best)
`,
    tfjs: tfjsCode(numbers, prior),
    pytorch: pytorchCode(numbers, prior, bias),
  }
}
