#!/usr/bin/env bash
# Counts the instructions of fixed kernel calls with callgrind and compares them with the ceilings in
# cpp/tests/instructions.txt. Counts do not depend on what else the machine does. With --update, writes new ceilings.
set -euo pipefail
cd "$(dirname "$0")/.."
program=build/kernel/tests/focal_instructions
ceilings=cpp/tests/instructions.txt

if [ "$(uname -m)" != x86_64 ]; then
  echo "instructions: the ceilings are for x86-64 with AVX2; not compared on $(uname -m)"
  exit 0
fi
command -v valgrind >/dev/null || { echo "instructions: valgrind is missing; run npm run setup" >&2; exit 1; }

count() {
  valgrind --tool=callgrind --toggle-collect=counted --callgrind-out-file=/dev/null "$program" "$1" 2>&1 |
    sed -n 's/.*Collected : \([0-9]*\)$/\1/p'
}

source scripts/ceilings.sh
for name in $("$program"); do compare "$name" "$(count "$name")" 3; done
finish
