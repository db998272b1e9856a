#!/usr/bin/env bash
# jax-js's log-sigmoid is minus infinity from about -89 on, and its softplus infinity from 89 on.
#
# One would guess: nn.logSigmoid and nn.softplus exist because log(sigmoid(x)) overflows; they are the stable forms, as in JAX: log-sigmoid of
#   -100 is -100, and its derivative is 1.
# What happens: they are written as the plain formula, in float32. Log-sigmoid of -100 is -Infinity with a NaN derivative, softplus of 100 is
#   Infinity, and softplus of -20 is 0 instead of 2e-9. nn.logSoftmax is stable.
# Versions: @jax-js/jax 0.1.25 (backends cpu and wasm), Node.js 20.20.2. Date: 2026-11-30.
# Why it matters here: a binary loss composed by hand in jax-js ends training with NaN at the first confident mistake. jaxValueAndGrad computes
#   the loss outside of it, exactly at any logit.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null
npm install --no-audit --no-fund --silent @jax-js/jax@0.1.25
cat > run.mjs <<'JS'
import * as jax from '@jax-js/jax'
const { numpy: np, nn } = jax
const given = [-100, -20, 20, 100]
const array = () => np.array(Float32Array.from(given))
const numbers = async (result) => Array.from(await result.data())
let asSeen = true
for (const backend of ['cpu', 'wasm']) {
  await jax.init(backend)
  jax.defaultDevice(backend)
  const logSigmoid = await numbers(nn.logSigmoid(array()))
  const derivative = await numbers(jax.grad((x) => nn.logSigmoid(x).sum())(array()))
  const softplus = await numbers(nn.softplus(array()))
  const logSoftmax = await numbers(nn.logSoftmax(np.array(Float32Array.of(0, 1000))))
  console.log('jax-js 0.1.25,', backend, 'of', given.join(', '))
  console.log('  logSigmoid', logSigmoid.join(', '), '(exact: -100, -20, -2.06e-9, -3.72e-44)')
  console.log('  its derivative', derivative.join(', '), '(exact: 1, 1, 2.06e-9, 3.72e-44)')
  console.log('  softplus', softplus.join(', '), '(exact: 3.72e-44, 2.06e-9, 20, 100)')
  console.log('  logSoftmax of 0, 1000:', logSoftmax.join(', '))
  asSeen &&= logSigmoid[0] === -Infinity && Number.isNaN(derivative[0]) && softplus[1] === 0 && softplus[3] === Infinity && logSoftmax[0] === -1000
}
process.exit(asSeen ? 0 : 1)
JS
node run.mjs
