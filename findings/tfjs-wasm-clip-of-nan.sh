#!/usr/bin/env bash
# On TensorFlow.js's wasm backend clipByValue turns NaN into the lower bound.
#
# One would guess: NaN stays NaN, as on the cpu backend, as tf.relu and tf.max keep it on wasm, and as NumPy's clip has it.
# What happens: a NaN comes out as the least number that is asked for.
# Versions: @tensorflow/tfjs-core, tfjs-backend-cpu and tfjs-backend-wasm 4.22.0, Node.js 20.20.2. Date: 2026-11-30.
# Why it matters here: losses by hand clip probabilities to [epsilon, 1 - epsilon]. A model that has become NaN then has an ordinary, large loss,
#   and nothing tells. A NaN logit makes a NaN loss here, on every backend.
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
    const p = tf.tensor1d([NaN, 0.5])
    const [clipped] = tf.clipByValue(p, 0.001, 0.999).dataSync()
    const [relu] = tf.relu(p).dataSync()
    const [loss] = tf.neg(tf.log(tf.clipByValue(p, 0.001, 0.999))).dataSync()
    console.log(`${backend}: of NaN, clipByValue to [0.001, 0.999]: ${clipped}; relu: ${relu}; -log of the clipped: ${loss}`)
    seen[backend] = { clipped, relu }
  }
  const { cpu, wasm } = seen
  const asSeen = Number.isNaN(cpu.clipped) && Number.isNaN(wasm.relu) && Math.abs(wasm.clipped - 0.001) < 1e-6
  console.log('tfjs', tf.version_core, asSeen ? 'as described' : 'NOT as described')
  process.exit(asSeen ? 0 : 1)
}
main()
JS
node run.cjs
