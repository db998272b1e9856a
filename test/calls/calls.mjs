/**
 * What test-calls.sh counts the instructions of: `node calls.mjs CASE N` makes N calls of 80 logits (one row of 80
 * classes), after enough of them for the engine to have compiled all it will. Without arguments it names the cases.
 */
import { SigmoidFocalLoss, SoftmaxFocalLoss } from 'focal-loss'

const WARM_UP = 25_000

const cases = {
  /** The program has one loss and one kind of each array, as a training loop has. */
  'one-kind': () => undefined,
  /** Every kind of array, both losses and two backends have come by first, and the engine remembers. */
  'many-kinds': callEverything,
}

function callEverything() {
  for (const backend of ['native', 'js']) {
    for (const Logits of [Float32Array, Float64Array]) {
      for (const Loss of [SigmoidFocalLoss, SoftmaxFocalLoss]) {
        for (const reduction of ['mean', 'none']) {
          const loss = new Loss({ reduction, backend })
          const perClass = new Loss({ reduction, backend, alpha: new Array(8).fill(0.5), ignoreIndex: 255 })
          for (const Targets of [Int32Array, Uint8Array, Int8Array, Uint32Array, Uint16Array, Int16Array]) {
            const [logits, grad] = [new Logits(80), new Logits(80)]
            const [targets, labels, weights] = [new Targets(10), new Targets(80), new Logits(10)]
            loss.valueAndGrad(logits, targets, { grad })
            loss.valueAndGrad(logits, labels, { grad: logits, shape: [10, 8] })
            loss.value(logits, targets, { shape: [2, 8, 5], classAxis: 1, mask: targets })
            perClass.valueAndGrad(logits, targets, { grad, weights })
            perClass.sums(logits, Int32Array.of(0, 1, 2, 3, 4, 5, 6, 7, 0, 1), { out: true })
          }
        }
      }
    }
  }
}

const [name, calls] = process.argv.slice(2)
if (name === undefined) {
  console.log(Object.keys(cases).join('\n'))
} else {
  cases[name]()
  const loss = new SigmoidFocalLoss({ backend: 'native' })
  const logits = Float32Array.from({ length: 80 }, (_, k) => 4 * Math.sin(k))
  const targets = Int32Array.of(17)
  const call = { grad: new Float32Array(80) }
  for (let i = 0; i < WARM_UP + Number(calls); i++) loss.valueAndGrad(logits, targets, call)
}
