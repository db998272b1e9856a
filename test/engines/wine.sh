#!/bin/sh
# Runs a Node.js for Windows: sh test/engines/wine.sh NODE.EXE ARGUMENTS... Its output goes by way of files, as under Wine it cannot write to a pipe.
# Wine says that it is Windows 7, which Node.js no longer supports: hence the last variable.
set -u
export WINEDEBUG=-all NODE_SKIP_PLATFORM_CHECK=1
WINEPREFIX=$(cd "$(dirname "$0")/../.." && pwd)/build/engines/wine
export WINEPREFIX
mkdir -p "$WINEPREFIX"
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
wine "$@" >"$folder/stdout" 2>"$folder/stderr" </dev/null
status=$?
cat "$folder/stdout"
cat "$folder/stderr" >&2
exit $status
