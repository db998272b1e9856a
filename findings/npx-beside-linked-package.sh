#!/usr/bin/env bash
# npx finds no command of a package that a linked package has installed for itself.
#
# One would guess: npx -p semver@7.7.2 semver runs it, as it does anywhere: it installs the package for the occasion if the project has it not.
# What happens: in a project with a link to a folder (npm install ../linked) in whose own node_modules the same version lies, npx takes it for installed,
#   and then its command is not found: status 127. Another version of it runs, and so does the same one in a project without the link.
# Versions: npm 11.19.1, Node.js 20.20.2, semver 7.7.2 and 7.7.1. Date: 2026-11-30.
# Why it matters here: until the package is on the registry, projects link a checkout, which has TypeScript. npx -p typescript@5.9 tsc fails
#   there, so docs/getting-started.md installs the compiler.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
mkdir "$folder/tool" "$folder/linked" "$folder/app" "$folder/alone"
quiet=(--no-audit --no-fund --silent)
for each in tool linked app alone; do (cd "$folder/$each" && npm init -y >/dev/null); done
(cd "$folder/tool" && npm install "${quiet[@]}" npm@11.19.1)
npm=$folder/tool/node_modules/npm/bin
(cd "$folder/linked" && node "$npm/npm-cli.js" install "${quiet[@]}" semver@7.7.2)
(cd "$folder/app" && node "$npm/npm-cli.js" install "${quiet[@]}" ../linked)

# run PROJECT VERSION: its status
run() {
  local status=0
  (cd "$folder/$1" && node "$npm/npx-cli.js" --yes -p "semver@$2" semver 1.2.3 >/dev/null 2>&1) || status=$?
  echo "$status"
}
linked=$(run app 7.7.2) other=$(run app 7.7.1) alone=$(run alone 7.7.2)
echo "npm $(node "$npm/npm-cli.js" --version): status with the link $linked, of another version $other, without the link $alone"
[ "$linked $other $alone" = "127 0 0" ] || { echo "this has changed: expected 127, 0 and 0"; exit 1; }
