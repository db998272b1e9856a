#!/usr/bin/env bash
# The suites on the cuda backend: on a GPU where there is one, else those that are quick on the emulated device, which runs the
# device code on the host, some hundred times as slowly. (test/backends/cuda is part of the other suites.)
set -euo pipefail
cd "$(dirname "$0")/.."
export FOCAL_LOSS_TEST_BACKENDS=cuda

if node -e "process.exit(require('./build/Release/focal_loss_cuda.node').devices().length > 0 ? 0 : 1)" 2>/dev/null; then
  mapfile -t suites < <(grep -l testedBackends -r test --include=*.test.ts)
else
  echo "CUDA: no device here, skipped on the GPU; run on the emulated device"
  suites=(backends/{conformance,accuracy,agreement,extremes,probabilities,positives,asynchronous_process} arrays/{memory,half} losses/{worked_examples,peers,clamp_hess} problem/bad_input)
  suites=("${suites[@]/#/test/}")
  suites=("${suites[@]/%/.test.ts}")
fi
npx vitest run --testTimeout 60000 "${suites[@]}"
