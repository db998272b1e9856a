/** A plugin for the bundler: the licences of the packages whose code is in the bundle, as one file beside it. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** The folder of the package that a module is of, where it is of one. */
const folderOf = (module) => /^.*\/node_modules\/(?:@[^/]+\/)?[^/]+(?=\/)/.exec(module)?.[0]

function noticeOf(folder) {
  const { name, version, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
  const file = readdirSync(folder).find((each) => /^licen[cs]e/i.test(each))
  if (license === undefined || file === undefined) throw new Error(`${name} is bundled and has no licence; expected one in ${folder}`)
  return `${name} ${version}, ${license}\n\n${readFileSync(join(folder, file), 'utf8').trim()}\n`
}

export function licences(fileName) {
  return {
    name: 'licences',
    generateBundle(_, bundle) {
      const modules = Object.values(bundle).flatMap((output) => (output.type === 'chunk' ? output.moduleIds : []))
      const folders = [...new Set(modules.map(folderOf))].filter((folder) => folder !== undefined).sort()
      this.emitFile({ type: 'asset', fileName, source: folders.map(noticeOf).join(`\n${'-'.repeat(80)}\n\n`) })
    },
  }
}
