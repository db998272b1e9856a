#!/usr/bin/env bash
# On TensorFlow.js's wasm backend the mean of 17 million equal losses is 7 % too small.
#
# One would guess: tf.mean and tf.sum are right to some digits whatever the length: the cpu backend adds in double precision, and libraries that
#   add float32 do it in pairs or in blocks.
# What happens: one float32 takes all numbers, one after the other. Ones stop to count at 2^24. Of 2^24 + 100 numbers 1.1 the mean is 1.026;
#   of a million it is 1.111. The cpu backend has 1.1.
# Versions: @tensorflow/tfjs-core, tfjs-backend-cpu and tfjs-backend-wasm 4.22.0, Node.js 20.20.2. Date: 2026-11-30.
# Why it matters here: a dense detector or a segmentation has millions of logits in a step, and a loss by hand ends in tf.mean. tfLoss brings
#   the mean from the kernel, which adds blocks in float32 and their sums in double.
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
const many = 2 ** 24 + 100
async function main() {
  const means = {}
  for (const backend of ['cpu', 'wasm']) {
    await tf.setBackend(backend)
    await tf.ready()
    const ones = tf.tidy(() => tf.sum(tf.ones([many])).dataSync()[0])
    const [million, all] = [1_000_000, many].map((length) => tf.tidy(() => tf.mean(tf.fill([length], 1.1)).dataSync()[0]))
    console.log(`${backend}: the sum of ${many} ones is ${ones}; the mean of numbers 1.1, a million: ${million}, ${many}: ${all}`)
    means[backend] = { ones, million, all }
  }
  const { cpu, wasm } = means
  const asSeen = Math.abs(cpu.all - 1.1) < 1e-6 && cpu.ones === many && wasm.ones === 2 ** 24 && wasm.all < 1.05 && Math.abs(wasm.million - 1.1) > 1e-5
  console.log('tfjs', tf.version_core, asSeen ? 'as described' : 'NOT as described')
  process.exit(asSeen ? 0 : 1)
}
main()
JS
node run.cjs
