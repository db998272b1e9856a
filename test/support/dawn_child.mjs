/**
 * Runs compute shaders on Dawn, which is what Node.js has of WebGPU, in a process of its own: the Vulkan driver's folder must be known
 * before the process starts. Reads programs as JSON from the standard input, and answers with the outputs.
 */
import { readFileSync, writeSync } from 'node:fs'
import { create, globals } from 'webgpu'

Object.assign(globalThis, globals)
const { GPUBufferUsage, GPUMapMode } = globals
// Kept until the end: what is collected ends the process
const gpu = create([])
const adapter = await gpu.requestAdapter()
if (adapter === null) fail('Dawn finds no adapter; install the package chromium, which brings SwiftShader')
const device = await adapter.requestDevice()

const outputs = []
for (const program of JSON.parse(readFileSync(0, 'utf8'))) outputs.push(await run(program))
const answer = JSON.stringify(outputs)
for (let written = 0; written < answer.length; ) written += writeSync(1, answer.slice(written, written + 2 ** 15))
device.destroy()
globalThis.kept = gpu

/** `inputs` are arrays of float32 in base64, at the first bindings; `length` is that of the output, at the next. */
async function run({ code, inputs, length, invocations }) {
  device.pushErrorScope('validation')
  const module = device.createShaderModule({ code })
  const { messages } = await module.getCompilationInfo()
  const errors = messages.filter(({ type }) => type === 'error')
  if (errors.length > 0) fail(errors.map(({ lineNum, message }) => `line ${lineNum}: ${message}`).join('\n'))
  const pipeline = device.createComputePipeline({ layout: 'auto', compute: { module, entryPoint: 'main' } })
  const refused = await device.popErrorScope()
  if (refused !== null) fail(refused.message)

  const buffers = inputs.map((text) => {
    const bytes = Buffer.from(text, 'base64')
    const buffer = device.createBuffer({ size: bytes.length, usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST })
    device.queue.writeBuffer(buffer, 0, new Uint8Array(bytes))
    return buffer
  })
  const size = 4 * length
  const output = device.createBuffer({ size, usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC })
  const copy = device.createBuffer({ size, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST })
  const entries = [...buffers, output].map((buffer, binding) => ({ binding, resource: { buffer } }))
  const encoder = device.createCommandEncoder()
  const pass = encoder.beginComputePass()
  pass.setPipeline(pipeline)
  pass.setBindGroup(0, device.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries }))
  pass.dispatchWorkgroups(Math.ceil(invocations / 64))
  pass.end()
  encoder.copyBufferToBuffer(output, 0, copy, 0, size)
  device.queue.submit([encoder.finish()])
  await copy.mapAsync(GPUMapMode.READ)
  const text = Buffer.from(copy.getMappedRange()).toString('base64')
  copy.unmap()
  for (const buffer of [...buffers, output, copy]) buffer.destroy()
  return text
}

function fail(message) {
  writeSync(2, `${message}\n`)
  process.kill(process.pid)
}
