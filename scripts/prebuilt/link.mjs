/**
 * Makes the main package name the prebuilt ones, all in its own version: `node scripts/prebuilt/link.mjs FOLDER`, where FOLDER has the package as it will be
 * packed; but for those with code for GPUs, which are large, and which whoever has a GPU asks for. In a workflow of GitHub's it also says where the
 * package comes from, and has pages link there for what is not packed. Done when a release is packed and not in the repository, whose lock file would have
 * to know packages that are not published yet.
 */
import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { repositoryOf } from './repository.mjs'
import { withAddresses } from '../pages.mjs'

const folder = process.argv[2]
const file = join(folder, 'package.json')
const platforms = JSON.parse(readFileSync(new URL('platforms.json', import.meta.url), 'utf8'))
const manifest = JSON.parse(readFileSync(file, 'utf8'))
const repository = repositoryOf(process.env)
const names = Object.keys(platforms).filter((name) => platforms[name].addon === undefined)
manifest.optionalDependencies = Object.fromEntries(names.map((name) => [`@focal-loss/${name}`, manifest.version]))
Object.assign(manifest, repository?.fields)
writeFileSync(file, `${JSON.stringify(manifest, null, 2)}\n`)

if (repository !== undefined) {
  // As npm itself packs them: what `files` of package.json says
  const packed = new Set(JSON.parse(execFileSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], { cwd: folder, encoding: 'utf8' }))[0].files.map(({ path }) => path))
  for (const page of packed) {
    if (!page.endsWith('.md')) continue
    const markdown = readFileSync(join(folder, page), 'utf8')
    writeFileSync(join(folder, page), withAddresses(page, markdown, (target) => packed.has(target), repository.url, manifest.version))
  }
}
