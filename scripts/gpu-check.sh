#!/usr/bin/env bash
# What only a machine with a GPU can tell, in under eight minutes: scripts/gpu-check.sh [RESULTS]. Builds nothing: it takes a checkout with
# node_modules, dist/, build/Release and build/gpu. Writes one file, by default gpu-check.txt: of every part how it ended, how long it
# took, and the end of what it printed. Without a GPU the CUDA suites run on the emulated device, and what needs one is skipped.
set -uo pipefail
cd "$(dirname "$0")/.."
results=${1:-gpu-check.txt}
failed=0
: > "$results"

# part NAME SECONDS COMMAND...: runs it for so long at most
part() {
  local name=$1 seconds=$2 start=$SECONDS output status
  shift 2
  output=$(timeout "$seconds" "$@" 2>&1)
  status=$?
  [ $status -eq 0 ] || failed=1
  printf '== %s: %s, %d s\n%s\n\n' "$name" "$([ $status -eq 0 ] && echo ok || echo "ended with $status")" $((SECONDS - start)) "$(tail -n 25 <<<"$output")" | tee -a "$results"
}
skip() { printf '== %s: skipped, %s\n\n' "$1" "$2" | tee -a "$results"; }

if nvidia-smi -L >/dev/null 2>&1; then
  part card 10 nvidia-smi --query-gpu=name,driver_version,memory.total --format=csv,noheader
  has_gpu=1
else
  skip card 'nvidia-smi finds none'
  has_gpu=
fi

# The emulated device takes longer than a GPU
part 'CUDA suites' "$([ -n "$has_gpu" ] && echo 150 || echo 420)" bash scripts/test-cuda.sh

if [ -n "$has_gpu" ] && command -v compute-sanitizer >/dev/null; then
  part 'compute-sanitizer' 90 env FOCAL_LOSS_TEST_BACKENDS=cuda compute-sanitizer --target-processes all --error-exitcode 9 node node_modules/vitest/vitest.mjs run --testTimeout 80000 test/backends/conformance.test.ts
else
  skip 'compute-sanitizer' 'it, or a GPU, is missing'
fi

if [ -n "$has_gpu" ] && [ -x build/gpu/cuda/focal_cuda_bench ] && python3 -c 'import torch, triton' 2>/dev/null; then
  part 'CUDA against others' 90 python3 bench/cuda/compare.py build/gpu/cuda/focal_cuda_bench "$results.cuda.json" 16777216
  [ -e "$results.cuda.json" ] && cat "$results.cuda.json" >> "$results" && rm "$results.cuda.json"
else
  skip 'CUDA against others' 'a GPU, build/gpu/cuda/focal_cuda_bench, torch or triton is missing'
fi

# Software adapters have been measured elsewhere
if [ -n "$has_gpu" ] && ldconfig -p | grep -q 'libvulkan\.so\.1'; then
  export FOCAL_LOSS_TEST_VULKAN=system
  part 'WebGPU suites' 90 npx vitest run test/backends/webgpu test/adapters/webgpu test/adapters/tfjs/shaders.test.ts test/formulas/shaders.test.ts
  part 'WebGPU speed' 60 npx tsx bench/webgpu.ts 16777216
else
  skip 'WebGPU suites' 'a GPU or libvulkan.so.1 is missing'
fi

echo "results: $results"
exit $failed
