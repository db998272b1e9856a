/** Compute shaders on Dawn with SwiftShader, a Vulkan device in software that Debian's package chromium brings. */
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'

export interface DawnProgram {
  /** WGSL whose inputs are bound from 0 on, and then its output; workgroups have 64 invocations. */
  readonly code: string
  readonly inputs: readonly Float32Array[]
  /** Of the output, in float32. */
  readonly length: number
  readonly invocations: number
}

const SWIFTSHADER = '/usr/lib/chromium'

/** FOCAL_LOSS_TEST_VULKAN: 'system' for the machine's own drivers, and so its GPU. */
const drivers = process.env.FOCAL_LOSS_TEST_VULKAN === 'system' ? {} : { LD_LIBRARY_PATH: SWIFTSHADER, VK_ICD_FILENAMES: `${SWIFTSHADER}/vk_swiftshader_icd.json` }

/** The outputs of the programs. Throws what Dawn says of a shader that it refuses. */
export function runOnDawn(programs: readonly DawnProgram[]): Float32Array[] {
  const child = fileURLToPath(new URL('dawn_child.mjs', import.meta.url))
  const input = JSON.stringify(programs.map((program) => ({ ...program, inputs: program.inputs.map(({ buffer }) => Buffer.from(buffer).toString('base64')) })))
  return (runDawnChild([child], input) as string[]).map((text) => new Float32Array(Uint8Array.from(Buffer.from(text, 'base64')).buffer))
}

/** What a script in Node.js prints as JSON. The driver's folder must be known before the process starts, so it is one of its own. */
export function runDawnChild(args: readonly string[], input = ''): unknown {
  const { status, stdout, stderr } = spawnSync(process.execPath, args, {
    input,
    encoding: 'utf8',
    maxBuffer: 2 ** 30,
    env: { ...process.env, ...drivers },
  })
  if (status !== 0) throw new Error(`Dawn ended with status ${status}: ${stderr}`)
  return JSON.parse(stdout)
}
