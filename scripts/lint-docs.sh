#!/usr/bin/env bash
# Fails where words.json finds a phrase or too long a sentence, where an export has no docstring, where one is wrong, or where docs/api is stale.
set -euo pipefail
cd "$(dirname "$0")/.."
node scripts/lint-words.mjs
npx --no-install typedoc --out build/api
diff -r docs/api build/api || { echo "lint-docs: docs/api is stale; run npm run docs" >&2; exit 1; }
