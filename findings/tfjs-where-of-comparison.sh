#!/usr/bin/env bash
# TensorFlow.js cannot differentiate tf.where by a comparison of what it differentiates.
#
# One would guess: tf.grad(x => tf.where(tf.greater(x, 0), tf.square(x), x)) is 2x or 1; a comparison has no derivative that matters, and other
#   frameworks take it as a constant.
# What happens: tf.grad throws "gradient function not found for Greater": the condition counts as a way from x to the loss. The same condition
#   on a copy that is outside of the differentiated function works, as do tf.relu and tf.maximum.
# Versions: @tensorflow/tfjs 4.22.0's core, backend cpu and layers (which register the gradients), Node.js 20.20.2. Date: 2026-11-30.
# Why it matters here: stable formulas choose by the logit's sign or size. The composed forms of tfLoss compare inside of operations
#   with gradients of their own, so that second derivatives work.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null
npm install --no-audit --no-fund --silent @tensorflow/tfjs-core@4.22.0 @tensorflow/tfjs-backend-cpu@4.22.0 @tensorflow/tfjs-layers@4.22.0
cat > run.cjs <<'JS'
const tf = require('@tensorflow/tfjs-core')
require('@tensorflow/tfjs-backend-cpu')
require('@tensorflow/tfjs-layers')
const at = tf.tensor1d([-1, 2])
const slopes = (f) => {
  try {
    return Array.from(tf.grad(f)(at).dataSync()).join(', ')
  } catch (error) {
    return error.message.split('\n')[0]
  }
}
const compared = slopes((x) => tf.where(tf.greater(x, 0), tf.square(x), x))
const outside = tf.greater(at, 0)
const given = slopes((x) => tf.where(outside, tf.square(x), x))
const relu = slopes((x) => tf.relu(x))
console.log('tfjs', tf.version_core, 'derivatives at -1 and 2')
console.log('  where(greater(x, 0), x^2, x):', compared)
console.log('  the same, with a condition from outside:', given)
console.log('  relu(x):', relu)
process.exit(/gradient function not found for Greater/.test(compared) && given === '1, 4' && relu === '0, 1' ? 0 : 1)
JS
node run.cjs
