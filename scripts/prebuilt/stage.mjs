/**
 * Makes the npm package of one prebuilt addon: `node scripts/prebuilt/stage.mjs PLATFORM [ADDON [FOLDER]]`, where PLATFORM is a
 * name of platforms.json, ADDON is build/Release/focal_loss.node and FOLDER build/prebuilt/PLATFORM if nothing else is said.
 */
import { copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { repositoryOf } from './repository.mjs'

const at = (path) => fileURLToPath(new URL(`../../${path}`, import.meta.url))
const readJson = (path) => JSON.parse(readFileSync(at(path), 'utf8'))

const platforms = readJson('scripts/prebuilt/platforms.json')
const [name, given, folder = at(`build/prebuilt/${name}`)] = process.argv.slice(2)
const platform = platforms[name]
if (platform === undefined) {
  console.error(`stage: '${name}' is no platform; expected one of ${Object.keys(platforms).join(', ')}`)
  process.exit(2)
}

const { version, license, author, engines } = readJson('package.json')
const { os, cpu, libc, addon = 'focal_loss' } = platform
const file = `${addon}.node`
const manifest = {
  name: `@focal-loss/${name}`,
  version,
  description: `The ${addon === 'focal_loss' ? 'native' : 'CUDA'} addon of focal-loss for ${name}`,
  license,
  author,
  ...repositoryOf(process.env)?.fields,
  engines,
  os: [os],
  cpu: [cpu],
  ...(libc !== undefined && { libc: [libc] }),
  main: file,
  files: [file],
  // Package managers that unpack on demand must have this as a file: the system loads it
  preferUnplugged: true,
}

rmSync(folder, { recursive: true, force: true })
mkdirSync(folder, { recursive: true })
writeFileSync(join(folder, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`)
writeFileSync(join(folder, 'README.md'), `# ${manifest.name}\n\n${manifest.description}. Installed with \`focal-loss\` where it fits; not to be used alone.\n`)
copyFileSync(at('LICENSE'), join(folder, 'LICENSE'))
copyFileSync(given ?? at(`build/Release/${file}`), join(folder, file))
console.log(folder)
