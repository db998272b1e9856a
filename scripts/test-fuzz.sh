#!/usr/bin/env bash
# scripts/test-fuzz.sh [SECONDS, each, or --quick]: libFuzzer on the kernel's C ABI, under AddressSanitizer and UndefinedBehaviorSanitizer, against the double
# reference; then damaged files on the command line's readers, guided by coverage (test/fuzz/readers.ts). Debian: apt-get install clang libclang-rt-14-dev.
# Begins with the inputs in cpp/tests/fuzz/corpus; what the fuzzer finds stays in build/fuzz, failures as crash-... . With --quick the kernel
# and the readers get the same inputs every time, for about half a minute each: those, and others that a seed draws from them.
set -euo pipefail
cd "$(dirname "$0")/.."
seconds=${1:-60}
limits=(-max_total_time="$seconds")
damaged=(--seconds "$seconds")
if [ "$seconds" = --quick ]; then
  rm -rf build/fuzz/corpus
  limits=(-seed=1 -runs=12000)
  damaged=(--files 5000 --seed 1)
fi
clang=$(command -v clang++ || command -v clang++-14) || { echo "test-fuzz: clang++ is missing (Debian: apt-get install clang libclang-rt-14-dev)" >&2; exit 1; }
mkdir -p build/fuzz/corpus
# As cpp/CMakeLists.txt has it, but for -O1: more takes AddressSanitizer half an hour a file
flags=(-std=c++20 -O1 -g1 -Icpp -fwrapv -fno-math-errno -fno-trapping-math -ffp-contract=off -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=undefined)
objects=()
stale=()
# What takes longest first
for source in cpp/cpu/isa/baseline.cpp cpp/cpu/probability/*.cpp cpp/plan.cpp cpp/reference.cpp cpp/cpu/*.cpp cpp/cpu/targets/*.cpp cpp/cpu/threads/*.cpp \
  cpp/cpu/isa/dispatch.cpp cpp/tests/fuzz/kernel_fuzz.cpp; do
  object=build/fuzz/$(basename "$source" .cpp).o
  objects+=("$object")
  # A header of any of them may have changed
  if [ ! -e "$object" ] || [ -n "$(find cpp -newer "$object" \( -name '*.h' -o -path "$source" \) -print -quit)" ]; then stale+=("$source"); fi
done
if [ ${#stale[@]} -gt 0 ]; then
  printf '%s\n' "${stale[@]}" | xargs -P "$(nproc)" -I{} bash -c '"$@" -c {} -o "build/fuzz/$(basename {} .cpp).o"' _ "$clang" "${flags[@]}"
fi
"$clang" -fsanitize=fuzzer,address,undefined "${objects[@]}" -o build/fuzz/kernel_fuzz
build/fuzz/kernel_fuzz "${limits[@]}" -max_len=2048 -artifact_prefix=build/fuzz/ -print_final_stats=1 build/fuzz/corpus cpp/tests/fuzz/corpus
npx tsx test/fuzz/readers.ts "${damaged[@]}"
