/**
 * Makes the main package name the prebuilt ones, all in its own version: `node scripts/prebuilt/link.mjs FOLDER`, where FOLDER has
 * the package.json; but for those with code for GPUs, which are large, and which whoever has a GPU asks for. Done when a release is packed and not in the repository, whose lock file would have to know packages that
 * are not published yet.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const file = join(process.argv[2], 'package.json')
const platforms = JSON.parse(readFileSync(new URL('platforms.json', import.meta.url), 'utf8'))
const manifest = JSON.parse(readFileSync(file, 'utf8'))
const names = Object.keys(platforms).filter((name) => platforms[name].addon === undefined)
manifest.optionalDependencies = Object.fromEntries(names.map((name) => [`@focal-loss/${name}`, manifest.version]))
writeFileSync(file, `${JSON.stringify(manifest, null, 2)}\n`)
