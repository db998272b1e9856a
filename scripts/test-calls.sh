#!/usr/bin/env bash
# Counts the instructions that a small call of the built package spends outside the addon, so in the facade and in
# Node.js: callgrind counts a program with N calls and one with 2 N. Compares them with the ceilings in
# test/calls/instructions.txt. Counts do not depend on what else the machine does. With --update, writes new ceilings.
set -euo pipefail
cd "$(dirname "$0")/.."
program=test/calls/calls.mjs
ceilings=test/calls/instructions.txt
calls=5000
node=$(node -p 'process.versions.node.split(".")[0]')

if [ "$(uname -m)" != x86_64 ]; then
  echo "calls: the ceilings are for x86-64; not compared on $(uname -m)"
  exit 0
fi
if [ "${1:-}" != --update ] && ! grep -q "^node-$node " "$ceilings"; then
  echo "calls: the ceilings are for another engine than that of Node.js $node; not compared"
  exit 0
fi
command -v valgrind >/dev/null || { echo "calls: valgrind is missing; run npm run setup" >&2; exit 1; }
profile=$(mktemp)
trap 'rm -f "$profile"' EXIT

# One thread, so that compiling and collecting garbage come at the same places in every run
outside_the_addon() {
  valgrind --tool=callgrind --smc-check=all-non-file --callgrind-out-file="$profile" \
    node --single-threaded --predictable "$program" "$@" >/dev/null 2>&1
  awk '
    match($0, /^c?ob=\([0-9]+\)/) {
      id = substr($0, 1, RLENGTH); sub(/.*=/, "", id)
      if (NF > 1) name[id] = $2
      if (/^ob/) object = id
      next
    }
    /^calls=/ { getline; next }   # what follows is counted where it was spent
    /^[0-9+*-]/ && name[object] !~ /focal_loss\.node$/ { sum += $2 }
    END { printf "%.0f\n", sum }' "$profile"
}

source scripts/ceilings.sh
for name in $(node "$program"); do
  one=$(outside_the_addon "$name" $calls)
  two=$(outside_the_addon "$name" $((2 * calls)))
  compare "node-$node $name" $(((two - one) / calls)) 5
done
finish
