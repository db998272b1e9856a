#!/usr/bin/env bash
# Fails where an export has no docstring, where one is wrong, or where docs/api is not what they make now.
set -euo pipefail
cd "$(dirname "$0")/.."
npx --no-install typedoc --out build/api
diff -r docs/api build/api || { echo "lint-docs: docs/api is stale; run npm run docs" >&2; exit 1; }
