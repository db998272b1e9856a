#!/usr/bin/env bash
# Makes a checkout ready: system packages (through apt, where it may), npm packages, and all three backends.
set -euo pipefail
cd "$(dirname "$0")/.."

fail() {
  echo "setup: $*" >&2
  exit 1
}

node -e 'process.exit(Number(process.versions.node.split(".")[0]) >= 20 ? 0 : 1)' 2>/dev/null ||
  fail "Node.js 20 or later is needed; found $(node --version 2>/dev/null || echo none)"

# What must be there, and the Debian package that brings it.
missing=()
need_command() { command -v "$1" >/dev/null || missing+=("$2"); }
need_header() { [ -n "$(find /usr/include /usr/local/include -path "*/$1" -print -quit 2>/dev/null)" ] || missing+=("$2"); }
need_command cmake cmake
need_command make make
need_command g++ g++
need_command em++ emscripten
need_command valgrind valgrind
need_command "${FOCAL_LOSS_TEST_CHROMIUM:-chromium}" chromium
need_header doctest/doctest.h doctest-dev
need_header nlohmann/json.hpp nlohmann-json3-dev

if [ ${#missing[@]} -gt 0 ]; then
  install="apt-get update && apt-get install -y --no-install-recommends ${missing[*]}"
  echo "setup: missing: ${missing[*]}"
  if ! command -v apt-get >/dev/null; then
    fail "this is no Debian or Ubuntu; install these by other means (cmake >= 3.18, g++ >= 12, Emscripten >= 3.1.6, doctest, nlohmann-json, valgrind, Chromium) and run it again"
  elif [ "$(id -u)" -eq 0 ]; then
    as_root=()
  elif command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
    as_root=(sudo)
  else
    fail "no right to install them; run this, then setup again:
  sudo sh -c '$install'"
  fi
  "${as_root[@]}" sh -c "DEBIAN_FRONTEND=noninteractive; export DEBIAN_FRONTEND; $install" >/dev/null ||
    fail "apt could not install them; run this to see why:
  sudo sh -c '$install'"
fi

npm ci --no-audit --no-fund
npm run build
echo "setup: done. Next: npm start, or npm test"
