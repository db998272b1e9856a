#!/usr/bin/env bash
# On TensorFlow.js's wasm backend log1p(x) is log(1 + x).
#
# One would guess: tf.log1p keeps the digits of a small x, which is what it is for, as it does on the cpu backend and as tf.expm1 does on both.
# What happens: 1 + x is rounded to float32 first. Log1p of 1e-10 is 0, of 1e-7 it is 1.19e-7. So tf.losses.sigmoidCrossEntropy, which uses it,
#   gives a right label at a logit of 20 the loss 0 instead of 2.06e-9. tf.softplus and tf.logSigmoid keep their digits.
# Versions: @tensorflow/tfjs-core, tfjs-backend-cpu and tfjs-backend-wasm 4.22.0, Node.js 20.20.2. Date: 2026-11-30.
# Why it matters here: the losses of easy examples, of which most data consists, are such numbers. tfLoss has them to 2e-6 of themselves.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null
npm install --no-audit --no-fund --silent @tensorflow/tfjs-core@4.22.0 @tensorflow/tfjs-backend-cpu@4.22.0 @tensorflow/tfjs-backend-wasm@4.22.0
cat > run.cjs <<'JS'
const tf = require('@tensorflow/tfjs-core')
require('@tensorflow/tfjs-backend-cpu')
require('@tensorflow/tfjs-backend-wasm')
async function main() {
  const seen = {}
  for (const backend of ['cpu', 'wasm']) {
    await tf.setBackend(backend)
    await tf.ready()
    const log1p = Array.from(tf.log1p(tf.tensor1d([1e-10, 1e-7, 1e-3])).dataSync())
    const expm1 = tf.expm1(tf.tensor1d([1e-10])).dataSync()[0]
    const softplus = tf.softplus(tf.tensor1d([-20])).dataSync()[0]
    const [loss] = tf.losses.sigmoidCrossEntropy(tf.tensor1d([1]), tf.tensor1d([20]), undefined, undefined, tf.Reduction.NONE).dataSync()
    console.log(`${backend}: log1p of 1e-10, 1e-7, 1e-3: ${log1p.join(', ')}; expm1(1e-10): ${expm1}; softplus(-20): ${softplus}; cross entropy of a right label at 20: ${loss}`)
    seen[backend] = { log1p, expm1, softplus, loss }
  }
  const close = (a, b) => Math.abs(a / b - 1) < 1e-4
  const { cpu, wasm } = seen
  const asSeen = close(cpu.log1p[0], 1e-10) && wasm.log1p[0] === 0 && !close(wasm.log1p[1], 1e-7) && close(wasm.expm1, 1e-10) && close(wasm.softplus, 2.0611536e-9) && close(cpu.loss, 2.0611536e-9) && wasm.loss === 0
  console.log('tfjs', tf.version_core, asSeen ? 'as described' : 'NOT as described')
  process.exit(asSeen ? 0 : 1)
}
main()
JS
node run.cjs
