#!/usr/bin/env bash
# The backend webgpu in Deno: scripts/test-deno.sh. Deno is what DENO names, or npm's package of it. Without FOCAL_LOSS_TEST_VULKAN=system it
# runs on the processor, on the SwiftShader of Debian's chromium. Not a part of npm test.
set -euo pipefail
cd "$(dirname "$0")/.."
if [ "${FOCAL_LOSS_TEST_VULKAN:-}" != system ]; then
  export LD_LIBRARY_PATH=/usr/lib/chromium VK_ICD_FILENAMES=/usr/lib/chromium/vk_swiftshader_icd.json
fi
mkdir -p build
npx esbuild test/backends/webgpu/deno.ts --bundle --format=esm --platform=node --external:webgpu --alias:focal-loss=./src/node.ts --outfile=build/webgpu-deno.mjs --log-level=error
${DENO:-npx --yes deno@2.9.6} run --allow-all build/webgpu-deno.mjs
