#!/usr/bin/env bash
# TensorFlow.js's core and a backend compute a loss, and cannot differentiate it.
#
# One would guess: @tensorflow/tfjs-core, which exports tf.grad, differentiates its own operations once a backend is there.
# What happens: tf.grad throws "gradient function not found" for every operation. The gradients are registered by a file of core's that
#   its entry does not import, and that Node.js cannot import either (its own imports lack their endings). @tensorflow/tfjs-layers (so
#   @tensorflow/tfjs too) brings them along. A program that takes the smaller packages to be small works until its first training step.
# Versions: @tensorflow/tfjs-core, tfjs-backend-cpu and tfjs-layers 4.22.0, Node.js 20.20.2. Date: 2026-11-28.
# Why it matters here: a loss composed of TensorFlow.js's operations needs them. The fused one does not: tfLoss brings its own gradient.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null
npm install --no-audit --no-fund --silent @tensorflow/tfjs-core@4.22.0 @tensorflow/tfjs-backend-cpu@4.22.0 @tensorflow/tfjs-layers@4.22.0
cat > run.cjs <<'JS'
const tf = require('@tensorflow/tfjs-core')
require('@tensorflow/tfjs-backend-cpu')
const loss = (x) => tf.sum(tf.square(x))
const x = tf.tensor1d([1, 2, 3])
console.log('tfjs-core', tf.version_core, 'value', loss(x).dataSync()[0])
let message = 'none'
try {
  tf.grad(loss)(x)
} catch (error) {
  message = error.message
}
console.log('gradient:', message)
require('@tensorflow/tfjs-layers')
const after = Array.from(tf.grad(loss)(x).dataSync())
console.log('after loading tfjs-layers:', after.join(', '))
process.exit(/gradient function not found/.test(message) && after.join() === '2,4,6' ? 0 : 1)
JS
node run.cjs
