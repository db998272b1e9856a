/** Checks the types of the ```ts blocks of markdown pages, each as a file of its own, as strictly as the repository's. */
import { fileURLToPath } from 'node:url'
import ts from 'typescript'
import type { Block } from './doc_blocks.js'

const root = fileURLToPath(new URL('../../', import.meta.url))

/** What the compiler says of them, one sentence each, with page and line. */
export function typeErrors(blocks: readonly Block[]): string[] {
  const { config } = ts.readConfigFile(`${root}tsconfig.json`, (path) => ts.sys.readFile(path)) as { config: object }
  const { options } = ts.parseJsonConfigFileContent({ ...config, include: [], files: [] }, ts.sys, root)
  const byPath = new Map(blocks.filter(({ language }) => language === 'ts').map((block, i) => [`${root}block_${i}.ts`, block]))
  const host = ts.createCompilerHost(options)
  host.fileExists = (path) => byPath.has(path) || ts.sys.fileExists(path)
  // Even a block without an import is a module
  host.readFile = (path) => (byPath.has(path) ? `${byPath.get(path)?.code ?? ''}\nexport {}\n` : ts.sys.readFile(path))
  const program = ts.createProgram([...byPath.keys()], { ...options, types: [], noUnusedLocals: false }, host)
  return [...byPath].flatMap(([path, { page, line }]) => {
    const source = program.getSourceFile(path)
    return ts.getPreEmitDiagnostics(program, source).map(({ messageText, start = 0 }) => {
      const at = source === undefined ? 0 : source.getLineAndCharacterOfPosition(start).line
      return `${page}:${line + at}: ${ts.flattenDiagnosticMessageText(messageText, ' ')}`
    })
  })
}
