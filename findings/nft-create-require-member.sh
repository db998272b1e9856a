#!/usr/bin/env bash
# nft follows createRequire by its name, and not as a member of its module.
#
# One would guess: a file tracer that follows `createRequire(...)('package')` follows it however the function is reached.
# What happens: with `const { createRequire } = require('node:module')` the package is traced. With
#   `const module_1 = require('node:module')` and `module_1.createRequire(...)` it is not, without a warning. That is what compilers and
#   bundlers make of `import { createRequire } from 'node:module'` for CommonJS.
# Versions: @vercel/nft 1.11.5, is-number 7.0.0 (what is to be traced), Node.js 20. Date: 2026-11-30.
# Why it matters here: Next.js traces a standalone server's files with nft. The CommonJS modules of this package would run on WebAssembly there;
#   tsdown.config.ts gives them the name. `npm run test:installs` has the case.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
echo '{ "private": true }' >package.json
npm install --silent --no-audit --no-fund --ignore-scripts @vercel/nft@1.11.5 is-number@7.0.0
cat >named.cjs <<'JS'
const { createRequire } = require('node:module')
const load = createRequire(__filename)
console.log(load('is-number')(1))
JS
cat >member.cjs <<'JS'
const module_1 = require('node:module')
const load = module_1.createRequire(__filename)
console.log(load('is-number')(1))
JS
cat >trace.mjs <<'JS'
import { createRequire } from 'node:module'
import { nodeFileTrace } from '@vercel/nft'

const load = createRequire(import.meta.url)
console.log('@vercel/nft', load('@vercel/nft/package.json').version)
const found = {}
for (const file of ['named.cjs', 'member.cjs']) {
  const { fileList, warnings } = await nodeFileTrace([file], { base: process.cwd() })
  found[file] = [...fileList].some((path) => path.includes('is-number'))
  console.log(`${file}: the package is ${found[file] ? 'traced' : 'not traced'}; ${warnings.size} warnings`)
}
process.exit(found['named.cjs'] && !found['member.cjs'] ? 0 : 1)
JS
node named.cjs
node member.cjs
node trace.mjs
