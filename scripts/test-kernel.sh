#!/usr/bin/env bash
# Builds the kernel alone and runs its C++ tests.
set -euo pipefail
cd "$(dirname "$0")/.."
cmake -S cpp -B build/kernel -DFOCAL_CUDA=OFF
cmake --build build/kernel -j"$(nproc)"
ctest --test-dir build/kernel --output-on-failure
