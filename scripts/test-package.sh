#!/usr/bin/env bash
# Packs the package and uses it as a stranger would: from a fresh folder, without compiler and install scripts.
set -euo pipefail
cd "$(dirname "$0")/.."
root=$PWD
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

npm pack --silent --pack-destination "$folder" >/dev/null
tarball=$(echo "$folder"/focal-loss-*.tgz)
node scripts/check-package.mjs "$tarball"

mkdir "$folder/app"
cd "$folder/app"
echo '{ "name": "app", "private": true }' >package.json
npm install --silent --ignore-scripts --no-audit --no-fund --omit=peer "$tarball"
[ "$(ls node_modules)" = focal-loss ] || { echo "test-package: it brought dependencies: $(ls node_modules)" >&2; exit 1; }

cat >body.js <<'JS'
  const loss = new SigmoidFocalLoss({ gamma: 2, alpha: 0.25 })
  const { value, grad } = loss.valueAndGrad(new Float32Array([2, -1, 0]), [1, 0, 1])
  // the same by hand: mean of -alpha_t (1 - p_t)^2 log p_t
  const p = (x) => 1 / (1 + Math.exp(-x))
  const one = (x, y) => { const t = y ? p(x) : 1 - p(x); return -(y ? 0.25 : 0.75) * (1 - t) ** 2 * Math.log(t) }
  const expected = (one(2, 1) + one(-1, 0) + one(0, 1)) / 3
  if (!(Math.abs(value - expected) < 1e-7) || grad.length !== 3) throw new Error(`value ${value}, expected ${expected}`)
  if (getBackend() !== 'wasm') throw new Error(`backend is ${getBackend()}, expected wasm`)
JS
{ echo "import { SigmoidFocalLoss, getBackend } from 'focal-loss'"; cat body.js; } >import.mjs
{ echo "const { SigmoidFocalLoss, getBackend } = require('focal-loss')"; cat body.js; } >require.cjs
{ echo "import { SigmoidFocalLoss, getBackend } from 'focal-loss/wasm'"; cat body.js; } >wasm.mjs
for script in import.mjs require.cjs wasm.mjs; do
  node "$script"
  echo "$script: ok"
done
node --no-addons import.mjs
echo "import.mjs with --no-addons: ok"
FOCAL_LOSS_BACKEND=js node -e "const { value } = new (require('focal-loss').SigmoidFocalLoss)().valueAndGrad(new Float32Array(1), [1]); if (!(value > 0)) process.exit(1)"
echo "FOCAL_LOSS_BACKEND=js: ok"
# The adapters load without their frameworks
node -e "import('focal-loss/jax'); import('focal-loss/tfjs'); import('focal-loss/parallel'); import('focal-loss/tcp'); import('focal-loss/webgpu'); import('focal-loss/duckdb'); if (!require('focal-loss/jax').jaxValueAndGrad || !require('focal-loss/tfjs').tfLoss || !require('focal-loss/parallel').parallelStep || !require('focal-loss/tcp').joinTcp || !require('focal-loss/webgpu').webgpuLoss || !require('focal-loss/duckdb').registerFunctions) process.exit(1)"
echo "adapters: ok"
node "$root/scripts/check-declarations.mjs" .
npx --no-install focal-loss selftest
npx --no-install focal-loss doctor
npx --no-install focal-loss bench --sizes 80 --seconds 0.2
printf 'x1,x2,target\n2,-1,0\n-1,0.5,1\n' >scores.csv
npx --no-install focal-loss explain scores.csv --gammas 2 --html page.html | grep -F 'scores.csv: sigmoid, 4 logits in rows of 2, 2 positives, 2 negatives'
[ -s page.html ]
echo "test-package: ok"
