#!/usr/bin/env bash
# npm's webgpu does not write a DataView into a buffer.
#
# One would guess: queue.writeBuffer takes a DataView. WebGPU says it takes an AllowSharedBufferSource, which is an ArrayBuffer or any view of
#   one, and a DataView is how fields of several types (a count beside a float) are put into the bytes of a uniform buffer.
# What happens: it throws. A Uint8Array of the same bytes is written.
# Versions: webgpu 0.6.2 (Dawn), Node.js 20.20.2, SwiftShader of Debian 12's chromium. Date: 2026-11-28.
# Why it matters here: a kernel's constants are integers and floats. focal-loss/webgpu writes the bytes of their ArrayBuffer.
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
const { COPY_DST, MAP_READ } = GPUBufferUsage
const buffer = device.createBuffer({ size: 8, usage: COPY_DST | MAP_READ })
const bytes = new ArrayBuffer(8)
const view = new DataView(bytes)
view.setUint32(0, 3, true)
view.setFloat32(4, 0.5, true)
const outcome = (data) => {
  try {
    device.queue.writeBuffer(buffer, 0, data)
    return 'written'
  } catch (error) {
    return String(error).split('\n')[0]
  }
}
const [asView, asBytes] = [outcome(view), outcome(new Uint8Array(bytes))]
console.log('webgpu 0.6.2: a DataView:', asView)
console.log('the same bytes in a Uint8Array:', asBytes)
await buffer.mapAsync(GPUMapMode.READ)
const read = new DataView(buffer.getMappedRange().slice(0))
console.log('read back:', read.getUint32(0, true), read.getFloat32(4, true))
buffer.unmap()
device.destroy()
process.exit(asView !== 'written' && asBytes === 'written' && read.getUint32(0, true) === 3 ? 0 : 1)
JS
LD_LIBRARY_PATH=/usr/lib/chromium VK_ICD_FILENAMES="$icd" node run.mjs
