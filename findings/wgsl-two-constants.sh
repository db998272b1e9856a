#!/usr/bin/env bash
# A WGSL shader that subtracts a constant in two parts loses the second part.
#
# One would guess: (x - high) - low, with `high` and `low` literals of which `high` is 2^26 times the larger, is computed in that
#   order. For x near `high` the first difference is exact in float32, so the result has the digits of `low`. This is how numerical
#   code in C subtracts a constant that has more digits than a float (Cody and Waite).
# What happens: Dawn (npm webgpu 0.6.2) with SwiftShader (Debian's chromium) adds the two literals up first. `low` is too small to
#   change `high`, so it is lost. WGSL allows it: implementations may reassociate. With `low` times a number that the compiler
#   cannot know, here one that is read from a buffer, the digits are there.
# Versions: webgpu 0.6.2, Node.js 20.20.2, chromium of Debian 12. Date: 2026-11-28.
# Why it matters here: the asymmetric loss starts at the logit of its margin. Just above it, losing the second part costs an error of
#   6e-5 at gamma 4, where 1e-5 is promised. src/formulas/shaders multiplies the second part by s + c, which is 1.
set -euo pipefail
icd=/usr/lib/chromium/vk_swiftshader_icd.json
[ -e "$icd" ] || { echo "SwiftShader is missing: apt-get install chromium" >&2; exit 2; }
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null
npm install --no-audit --no-fund --silent webgpu@0.6.2
cat > run.mjs <<'JS'
import { create, globals } from 'webgpu'
Object.assign(globalThis, globals)
const gpu = create([])
const adapter = await gpu.requestAdapter()
const device = await adapter.requestDevice()
const x = Math.fround(-2.9407351)
const [high, low] = [Math.fround(-2.94443897916644), -4.484027e-8]
const code = `
@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> result: array<f32>;
@compute @workgroup_size(1) fn main() {
  result[0] = (x[0] - ${high}) - ${low};
  result[1] = (x[0] - ${high}) - ${low} * x[1];
}`
const { STORAGE, COPY_SRC, COPY_DST, MAP_READ } = GPUBufferUsage
const buffer = (usage) => device.createBuffer({ size: 8, usage })
const [input, output, copy] = [buffer(STORAGE | COPY_DST), buffer(STORAGE | COPY_SRC), buffer(MAP_READ | COPY_DST)]
device.queue.writeBuffer(input, 0, Float32Array.of(x, 1))
const pipeline = device.createComputePipeline({ layout: 'auto', compute: { module: device.createShaderModule({ code }), entryPoint: 'main' } })
const entries = [input, output].map((buffer, binding) => ({ binding, resource: { buffer } }))
const encoder = device.createCommandEncoder()
const pass = encoder.beginComputePass()
pass.setPipeline(pipeline)
pass.setBindGroup(0, device.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries }))
pass.dispatchWorkgroups(1)
pass.end()
encoder.copyBufferToBuffer(output, 0, copy, 0, 8)
device.queue.submit([encoder.finish()])
await copy.mapAsync(GPUMapMode.READ)
const [literals, read] = new Float32Array(copy.getMappedRange().slice(0))
copy.unmap()
const exact = Math.fround(x - high - low)
console.log(`adapter: ${adapter.info.description}`)
console.log(`exact:                   ${exact}`)
console.log(`two literals:            ${literals}`)
console.log(`one times what is read:  ${read}`)
device.destroy()
globalThis.kept = gpu
const asFound = literals === Math.fround(x - high) && read === exact && literals !== exact
console.log(asFound ? 'as found' : 'this has changed')
process.exitCode = asFound ? 0 : 1
JS
echo "webgpu $(node -p 'require("webgpu/package.json").version'), Node.js $(node --version)"
LD_LIBRARY_PATH=/usr/lib/chromium VK_ICD_FILENAMES="$icd" timeout 60 node run.mjs
