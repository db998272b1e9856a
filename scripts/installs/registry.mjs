/** A package registry on this machine, with the main package and the prebuilt ones as a release would have them. */
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { cpSync, mkdirSync, readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../..', import.meta.url))
const run = (folder, command, ...rest) => execFileSync(command, rest, { cwd: folder, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] })
const script = (name, ...rest) => run(root, process.execPath, join(root, 'scripts/prebuilt', `${name}.mjs`), ...rest)

/** Packs a folder and says what a registry says of it. */
function packed(folder, to) {
  const file = join(to, run(folder, 'npm', 'pack', '--silent', '--ignore-scripts', '--pack-destination', to).trim())
  const integrity = `sha512-${createHash('sha512').update(readFileSync(file)).digest('base64')}`
  return { file, manifest: JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')), integrity }
}

/** The release in `folder`: the main package with its optional dependencies, and an addon for every platform. */
function release(folder) {
  const main = join(folder, 'main')
  mkdirSync(main)
  for (const name of ['package.json', 'dist', 'docs', 'LICENSE', 'README.md']) cpSync(join(root, name), join(main, name), { recursive: true })
  script('link', main)
  const platforms = JSON.parse(readFileSync(join(root, 'scripts/prebuilt/platforms.json'), 'utf8'))
  const prebuilt = Object.keys(platforms).map((name) => {
    // This machine's addon stands for all: a package manager must never fetch those for others
    script('stage', name, join(root, 'build/Release/focal_loss.node'), join(folder, name))
    return join(folder, name)
  })
  return [main, ...prebuilt].map((each) => packed(each, folder))
}

/**
 * Serves the release from `folder`. `fetched` collects the tarballs that were asked for; `tarballOf` tells
 * where the one of a package lies.
 */
export async function startRegistry(folder) {
  const packages = release(folder)
  const fetched = new Set()
  const server = createServer(({ url: path }, response) => {
    const name = decodeURIComponent(path.slice(1))
    const one = packages.find(({ manifest }) => manifest.name === name)
    const file = packages.find((each) => `tarballs/${basename(each.file)}` === name)?.file
    if (file !== undefined) {
      fetched.add(basename(file))
      response.end(readFileSync(file))
    } else if (one === undefined) {
      // Package managers ask for the optional peer dependency, too, and do without it
      response.writeHead(404, { 'content-type': 'application/json' }).end('{"error":"not found"}')
    } else {
      const { manifest, integrity } = one
      const version = { ...manifest, dist: { integrity, tarball: `${url}tarballs/${basename(one.file)}` } }
      const time = { created: '2025-01-01T00:00:00.000Z', modified: '2025-01-01T00:00:00.000Z', [manifest.version]: '2025-01-01T00:00:00.000Z' }
      const document = { name, 'dist-tags': { latest: manifest.version }, versions: { [manifest.version]: version }, time }
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(document))
    }
  })
  await new Promise((listening) => server.listen(0, '127.0.0.1', listening))
  const url = `http://127.0.0.1:${server.address().port}/`
  const close = () => new Promise((closed) => server.close(closed) && server.closeAllConnections())
  const tarballOf = (name) => packages.find(({ manifest }) => manifest.name === name).file
  return { url, fetched, tarballOf, version: packages[0].manifest.version, close }
}
