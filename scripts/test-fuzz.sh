#!/usr/bin/env bash
# scripts/test-fuzz.sh [SECONDS], each: libFuzzer on the kernel's C ABI, under AddressSanitizer and UndefinedBehaviorSanitizer, against the double
# reference; then damaged files on the command line's readers (test/fuzz/readers.ts). Debian: apt-get install clang libclang-rt-14-dev.
# Begins with the inputs in cpp/tests/fuzz/corpus; what the fuzzer finds stays in build/fuzz, failures as crash-... .
set -euo pipefail
cd "$(dirname "$0")/.."
seconds=${1:-60}
clang=$(command -v clang++ || command -v clang++-14) || { echo "test-fuzz: clang++ is missing (Debian: apt-get install clang libclang-rt-14-dev)" >&2; exit 1; }
mkdir -p build/fuzz/corpus
# As cpp/CMakeLists.txt has it, but for -O1: more takes AddressSanitizer half an hour a file
flags=(-std=c++20 -O1 -g1 -Icpp -fwrapv -fno-math-errno -fno-trapping-math -ffp-contract=fast -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=undefined)
objects=()
for source in cpp/plan.cpp cpp/reference.cpp cpp/cpu/*.cpp cpp/cpu/targets/*.cpp cpp/cpu/probability/*.cpp cpp/cpu/threads/*.cpp cpp/cpu/isa/{dispatch,baseline}.cpp \
  cpp/tests/fuzz/kernel_fuzz.cpp; do
  object=build/fuzz/$(basename "$source" .cpp).o
  objects+=("$object")
  # A header of any of them may have changed
  if [ ! -e "$object" ] || [ -n "$(find cpp -newer "$object" \( -name '*.h' -o -path "$source" \) -print -quit)" ]; then
    "$clang" "${flags[@]}" -c "$source" -o "$object"
  fi
done
"$clang" -fsanitize=fuzzer,address,undefined "${objects[@]}" -o build/fuzz/kernel_fuzz
build/fuzz/kernel_fuzz -max_total_time="$seconds" -max_len=2048 -artifact_prefix=build/fuzz/ -print_final_stats=1 build/fuzz/corpus cpp/tests/fuzz/corpus
npx tsx test/fuzz/readers.ts "$seconds"
