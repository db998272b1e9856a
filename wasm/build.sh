#!/usr/bin/env bash
# Compiles the kernel to build/wasm/focal-loss.wasm: a standalone module without any JavaScript of Emscripten's.
# Needs em++ (Debian: apt-get install emscripten). Works without a network.
set -euo pipefail
cd "$(dirname "$0")/.."

if ! command -v em++ >/dev/null; then
  echo "wasm/build.sh: em++ is missing; install Emscripten (Debian and Ubuntu: apt-get install emscripten)" >&2
  exit 1
fi

out=build/wasm
mkdir -p "$out"
# Debian's Emscripten looks for acorn in the system's Node modules.
export NODE_PATH="/usr/share/nodejs${NODE_PATH:+:$NODE_PATH}"

# -O3 unrolls and copies more: larger, and measured no faster.
flags=(-std=c++20 -O2 -msimd128 -fwrapv -fno-exceptions -fno-rtti -fno-math-errno -fno-trapping-math
  -ffp-contract=off -fvisibility=hidden -Wall -Wextra -Icpp)

objects=()
compile() {
  local object="$out/$(basename "$1" .cpp).o"
  objects+=("$object")
  em++ "${flags[@]}" "${@:2}" -c "$1" -o "$object"
}
for source in cpp/plan.cpp cpp/cpu/run.cpp cpp/cpu/work.cpp cpp/cpu/double_fallback.cpp cpp/cpu/targets/numbers.cpp cpp/cpu/targets/masked_classes.cpp \
  cpp/cpu/targets/repairs.cpp cpp/cpu/threads/worker_pool.cpp \
  cpp/cpu/isa/dispatch.cpp cpp/cpu/isa/baseline.cpp wasm/module.cpp; do
  compile "$source"
done
# What several workers add to at once, where the memory is shared: without the flag, atomic additions become plain ones
for source in cpp/cpu/targets/target_scan.cpp cpp/cpu/probability/probability.cpp; do
  compile "$source" -matomics
done

# The memory comes from outside: it may be one that workers share (src/backends/wasm/instance.ts).
# The stack holds no arrays of the kernel's; memory grows to the 4 GB that 32-bit addresses reach.
# -O1: more would put the operations of cpp/pack.h's vectors one behind the other again (half the speed in engines of today), and functions into
# each other until the module is a third larger.
em++ -O1 "${objects[@]}" -o "$out/focal-loss.wasm" -sSTANDALONE_WASM --no-entry -sALLOW_MEMORY_GROWTH=1 \
  -sINITIAL_MEMORY=1048576 -sTOTAL_STACK=65536 -sMAXIMUM_MEMORY=4294967296 -sIMPORTED_MEMORY=1 -sMALLOC=emmalloc -sFILESYSTEM=0 \
  -sEXPORTED_FUNCTIONS=_focal_run,_focal_begin,_focal_scan_parts,_focal_scan,_focal_finish_scan,_focal_blocks,_focal_compute,_focal_finish,_focal_end,_focal_abi,_focal_malloc,_focal_free
echo "$out/focal-loss.wasm: $(stat -c %s "$out/focal-loss.wasm") bytes"
