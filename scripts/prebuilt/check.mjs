/**
 * Checks a staged package of a prebuilt addon: `node scripts/prebuilt/check.mjs FOLDER [--glibc VERSION]`.
 *
 * The file is for the system, processor and C library that its name says, asks for no newer glibc than VERSION, is no larger
 * than it may be, and where this machine is of that kind it loads, and has an instruction set that runs or says what GPUs there are.
 */
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { describeBinary } from './binary.mjs'

const readJson = (path) => JSON.parse(readFileSync(path, 'utf8'))

/** Bytes. The largest so far, with three instruction sets, has 4.0 million on Windows (by GCC) and 3.3 on Linux; for GPUs there is code for several generations. */
const ceilings = readJson(new URL('ceilings.json', import.meta.url))

const { values, positionals } = parseArgs({ allowPositionals: true, options: { glibc: { type: 'string' } } })
const folder = resolve(positionals[0])
const platforms = readJson(new URL('platforms.json', import.meta.url))
const { version } = readJson(new URL('../../package.json', import.meta.url))

const manifest = readJson(join(folder, 'package.json'))
const name = manifest.name.replace('@focal-loss/', '')
const wanted = platforms[name]
const kind = wanted?.addon ?? 'focal_loss'
const ceiling = ceilings[kind]
const bytes = readFileSync(join(folder, `${kind}.node`))
const found = describeBinary(bytes)

const problems = []
const expectEqual = (what, actual, expected) => {
  if (actual !== expected) problems.push(`${what} is ${actual ?? 'unknown'}; expected ${expected}`)
}

expectEqual('its version', manifest.version, version)
for (const key of ['os', 'cpu', 'libc']) {
  expectEqual(`the manifest's ${key}`, manifest[key]?.join(), wanted?.[key])
  expectEqual(`the file's ${key}`, found?.[key], wanted?.[key])
}
if (bytes.length > ceiling) problems.push(`the file has ${bytes.length} bytes; expected at most ${ceiling}`)
const glibc = found?.needsGlibc?.join('.')
if (values.glibc !== undefined && found?.needsGlibc !== undefined) {
  const [major, minor] = values.glibc.split('.').map(Number)
  const [needsMajor, needsMinor] = found.needsGlibc
  if (needsMajor > major || (needsMajor === major && needsMinor > minor)) problems.push(`the file asks for glibc ${glibc}; expected at most ${values.glibc}`)
}

const libcHere = process.platform === 'linux' ? (readFileSync('/proc/self/maps', 'latin1').includes('/ld-musl-') ? 'musl' : 'glibc') : undefined
const isHere = wanted?.os === process.platform && wanted?.cpu === process.arch && wanted?.libc === libcHere
let loaded = 'not loaded: this machine is of another kind'
if (problems.length === 0 && isHere) {
  const addon = createRequire(import.meta.url)(folder)
  if (kind === 'focal_loss') {
    const isas = addon.isas().filter(({ supported }) => supported)
    expectEqual('its active instruction set', addon.activeIsa(), isas[0]?.name)
    loaded = `loaded, runs on ${isas.map((isa) => isa.name).join(', ')}`
  } else {
    // Where packages are made there is no GPU; that it says so is what it must be able to do everywhere
    const devices = addon.devices()
    loaded = `loaded, finds ${devices.map((device) => device.name).join(', ') || devices.reason}`
  }
}

if (problems.length > 0) {
  console.error(problems.map((problem) => `check: ${name}: ${problem}`).join('\n'))
  process.exit(1)
}
console.log(`${name}: ${bytes.length} bytes${glibc === undefined ? '' : `, glibc ${glibc} or later`}, ${loaded}`)
