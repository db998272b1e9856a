#!/usr/bin/env bash
# jax-js differentiates x^2 to NaN at 0.
#
# One would guess: the derivative of np.power(x, 2) at 0 is 0, as in JAX, PyTorch and TensorFlow.js.
# What happens: it is NaN for np.power with the exponents 2, 3 and 1.5. np.square, and x times x, have 0. So a focal loss as one writes it,
#   np.power(1 - p, 2) times -log p, has a NaN gradient as soon as p rounds to 1, which the sigmoid of float32 does from a logit of about 17.
# Versions: @jax-js/jax 0.1.25 (backends cpu and wasm), Node.js 20.20.2. Date: 2026-11-30.
# Why it matters here: the modulating factor is a power of a number that training drives to 0. jaxValueAndGrad brings the loss's own gradient.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null
npm install --no-audit --no-fund --silent @jax-js/jax@0.1.25
cat > run.mjs <<'JS'
import * as jax from '@jax-js/jax'
const { numpy: np, nn } = jax
const slopes = async (f, at) => Array.from(await jax.grad((x) => f(x).sum())(np.array(Float32Array.from(at))).data())
let asSeen = true
for (const backend of ['cpu', 'wasm']) {
  await jax.init(backend)
  jax.defaultDevice(backend)
  console.log('jax-js 0.1.25,', backend)
  for (const exponent of [2, 3, 1.5]) {
    const [atZero, atHalf] = await slopes((x) => np.power(x, exponent), [0, 0.5])
    console.log(`  derivative of power(x, ${exponent}) at 0: ${atZero} (exact: 0), at 0.5: ${atHalf}`)
    asSeen &&= Number.isNaN(atZero) && atHalf > 0
  }
  const [square] = await slopes((x) => np.square(x), [0])
  console.log('  of square(x) at 0:', square)
  const focal = (x) => {
    const p = nn.sigmoid(x)
    return np.power(np.subtract(1, p.ref), 2).mul(np.log(p)).mul(-1)
  }
  const [ordinary, sure] = await slopes(focal, [2, 20])
  console.log('  of a focal loss by hand at a logit of 2:', ordinary, 'and of 20:', sure, '(exact: -2.6e-26)')
  asSeen &&= square === 0 && Number.isFinite(ordinary) && Number.isNaN(sure)
}
process.exit(asSeen ? 0 : 1)
JS
node run.mjs
