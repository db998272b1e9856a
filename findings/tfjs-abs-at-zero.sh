#!/usr/bin/env bash
# TensorFlow.js differentiates |x| to -1 at 0.
#
# One would guess: 0, as in PyTorch and JAX, and as the sign of 0; tf.sign(0) is 0 in TensorFlow.js too, and the derivative of tf.relu at 0 is 0.
# What happens: it is -1. The derivative is written as a step function that is 1 above 0 and else -1.
# Versions: @tensorflow/tfjs 4.22.0's core, backend cpu and layers (which register the gradients), Node.js 20.20.2. Date: 2026-11-30.
# Why it matters here: quality focal loss with beta 1 has the factor |y - p|. By hand, an element that is exactly right (soft label 0.5 at logit
#   0) gets a gradient that pushes it off; the exact gradient there is 0, which QualityFocalLoss has.
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
const slopes = (f, at) => Array.from(tf.grad(f)(tf.tensor1d(at)).dataSync())
const abs = slopes((x) => tf.abs(x), [-1, 0, 1])
const sign = tf.sign(tf.tensor1d([0])).dataSync()[0]
const [relu] = slopes((x) => tf.relu(x), [0])
// |y - p| times the cross entropy, of a soft label
const byHand = (x) => tf.mul(tf.abs(tf.sub(0.5, tf.sigmoid(x))), tf.sub(tf.softplus(x), tf.mul(0.5, x)))
const [right] = slopes(byHand, [0])
console.log('tfjs', tf.version_core, 'the derivative of |x| at -1, 0, 1:', abs.join(', '), '; sign(0):', sign, '; of relu at 0:', relu)
console.log('  of a quality focal loss by hand, beta 1, soft label 0.5, at logit 0:', right, '(exact: 0)')
process.exit(abs[1] === -1 && sign === 0 && relu === 0 && Math.abs(right) > 0.1 ? 0 : 1)
JS
node run.cjs
