/**
 * Runs the ```js and ```ts blocks of a markdown page, so that what it shows is true. (doc_types.ts checks the types of the latter.)
 *
 * Blocks run in order, and what one imports or declares stays known to the later blocks of its page, as it does to a reader.
 * They may declare it anew. A comment at the end of a statement's last line may claim values, and they are checked:
 *
 * - after an expression, a comment that begins with a value, or with several joined by `, ` or ` and ` for an array:
 *   `loss.priorBias(0.5) // 0, which is no bias`; of `console.log(a, b)` these are the values that it is given
 * - after a declaration, a variable's name and its value, anywhere in the comment:
 *   `const { value } = loss.valueAndGrad(x, y) // value 0.0105…, of four logits`
 *
 * A value is `true`, `false` or a number. A number with a point (or an exponent) is right if it is the result rounded to its
 * digits, one that ends with `…` if it is the result cut off there, any other if it is the result. Other comments are prose.
 */
import ts from 'typescript'

export interface Block {
  readonly page: string
  readonly language: 'js' | 'ts' | 'sh' | 'text'
  /** What stands behind the language: the file that code belongs to, or `app` of commands for the reader's folder. */
  readonly info: string
  /** Of the block's first line of code in the page, from 1. */
  readonly line: number
  readonly code: string
}

/** What pages import or require, by module name. */
export type Modules = Readonly<Record<string, object>>

type Names = Record<string, unknown>

const otherNames: Readonly<Record<string, Block['language']>> = {
  ...{ javascript: 'js', mjs: 'js', cjs: 'js', jsx: 'js' },
  ...{ typescript: 'ts', tsx: 'ts', mts: 'ts', cts: 'ts' },
  ...{ bash: 'sh', shell: 'sh', console: 'sh', zsh: 'sh' },
}

/** Commands, and what is printed: not code. */
function isShown(language: string): language is 'sh' | 'text' {
  return language === 'sh' || language === 'text'
}

/** The fenced blocks of a page, of the languages that are checked. Throws for these under another name, as nothing would check them. */
export function blocksOf(page: string, markdown: string): Block[] {
  const blocks: Block[] = []
  for (const { 1: language, 2: info, 3: code, index } of markdown.matchAll(/^[ \t]*```(\S*)([^\n]*)\n([\s\S]*?)^[ \t]*```$/gm)) {
    const line = markdown.slice(0, index).split('\n').length + 1
    if (language === 'js' || language === 'ts' || isShown(language)) blocks.push({ page, language, info: info.trim(), line, code })
    const checked = otherNames[language.toLowerCase()]
    if (checked !== undefined) throw new Error(`${page}:${line - 1}: a block is marked ${language}; expected ${checked}, which is checked`)
  }
  return blocks
}

/**
 * Runs the js and ts blocks of one page in order, but for those of files: doc_literal.ts runs these.
 *
 * @returns how many values were checked. Throws, with page and line, what a block throws or where a comment is wrong.
 */
export async function runBlocks(blocks: readonly Block[], modules: Modules): Promise<number> {
  // What pages print is compared with their comments, and not shown
  const known: Names = { require: (name: string) => moduleOf(name, modules), console: { log: () => {} } }
  let checked = 0
  for (const { page, language, info, line, code } of blocks) {
    if (isShown(language) || info !== '') continue
    const problems: string[] = []
    const claim = (at: number, text: string, result: unknown) => {
      checked++
      if (!agrees(text, result)) problems.push(`${page}:${line + at}: the comment says ${text}; the result is ${listed(result).slice(0, 10).join(', ')}`)
    }
    try {
      const program = instrument(code, modules, known)
      await new AsyncFunction('known', 'claim', program)(known, claim)
    } catch (error) {
      throw new Error(`the block at ${page}:${line}: ${error instanceof Error ? error.message : String(error)}`, { cause: error })
    }
    if (problems.length > 0) throw new Error(problems.join('\n'))
  }
  return checked
}

const AsyncFunction = (async () => {}).constructor as new (...source: string[]) => (...values: unknown[]) => Promise<void>

/** The block with its imports taken out, into `known`, and its claims put in. */
function instrument(code: string, modules: Modules, known: Names): string {
  const source = ts.createSourceFile('block.ts', code, ts.ScriptTarget.Latest, true)
  let program = ''
  const declared: string[] = []
  for (const statement of source.statements) {
    const comment = trailingComment(code, statement.end)
    const line = source.getLineAndCharacterOfPosition(statement.end).line
    if (ts.isImportDeclaration(statement)) bind(statement, modules, known)
    else if (ts.isExpressionStatement(statement) && startsWithValue.test(comment)) {
      program += `claim(${line}, ${JSON.stringify(comment.match(startsWithValue)?.[0])}, ${withoutTypes(claimed(statement.expression, source)).replace(/;\s*$/, '')});\n`
    } else {
      const names = namesOf(statement)
      declared.push(...names)
      program += `${withoutTypes(statement.getText(source))};\n${claimsOf(names, comment, line)}`
    }
  }
  return `'use strict'; const { ${Object.keys(known).join(', ')} } = known;\n{ ${program} Object.assign(known, { ${declared.join(', ')} }) }`
}

/** The expression whose value a comment tells: what `console.log` is given, where it is a call of that. */
function claimed(expression: ts.Expression, source: ts.SourceFile): string {
  if (!ts.isCallExpression(expression) || expression.expression.getText(source) !== 'console.log') return expression.getText(source)
  const printed = expression.arguments.map((each) => each.getText(source))
  return printed.length === 1 ? printed[0] : `[${printed.join(', ')}]`
}

function withoutTypes(code: string): string {
  return ts.transpileModule(code, { compilerOptions: { target: ts.ScriptTarget.ESNext, module: ts.ModuleKind.ESNext } }).outputText
}

/** The names that a statement declares. */
function namesOf(statement: ts.Statement): string[] {
  if (ts.isFunctionDeclaration(statement) || ts.isClassDeclaration(statement)) return statement.name === undefined ? [] : [statement.name.text]
  const ofPattern = (name: ts.BindingName): string[] =>
    ts.isIdentifier(name) ? [name.text] : name.elements.flatMap((element) => (ts.isBindingElement(element) ? ofPattern(element.name) : []))
  return ts.isVariableStatement(statement) ? statement.declarationList.declarations.flatMap(({ name }) => ofPattern(name)) : []
}

function trailingComment(code: string, end: number): string {
  const [range] = ts.getTrailingCommentRanges(code, end) ?? []
  return range === undefined ? '' : code.slice(range.pos, range.end).replace(/^\/\/\s*/, '')
}

function bind(statement: ts.ImportDeclaration, modules: Modules, known: Names): void {
  const name = (statement.moduleSpecifier as ts.StringLiteral).text
  const exported = moduleOf(name, modules)
  const { namedBindings, name: byDefault } = statement.importClause ?? {}
  if (byDefault !== undefined) throw new Error(`imports the default of '${name}'; expected names or a namespace`)
  if (namedBindings === undefined) return
  if (ts.isNamespaceImport(namedBindings)) known[namedBindings.name.text] = exported
  else {
    for (const { name: local, propertyName, isTypeOnly } of namedBindings.elements) {
      if (isTypeOnly) continue
      const wanted = (propertyName ?? local).text
      if (!(wanted in exported)) throw new Error(`imports ${wanted} from '${name}', which has no such export`)
      known[local.text] = exported[wanted]
    }
  }
}

function moduleOf(name: string, modules: Modules): Names {
  const exported = modules[name] as Names | undefined
  if (exported === undefined) throw new Error(`imports '${name}'; expected one of ${Object.keys(modules).join(', ')}`)
  return exported
}

const value = String.raw`(?:true|false|-?\d+(?:\.\d+)?(?:e[+-]?\d+)?…?)(?![\w.])`
const startsWithValue = new RegExp(`^${value}(?:(?:, | and )${value})*`)

/** Checks of the `name value` pairs for declared names. */
function claimsOf(names: readonly string[], comment: string, line: number): string {
  return names
    .flatMap((name) => Array.from(comment.matchAll(new RegExp(`(?<!\\w)${name} (${value})`, 'g')), ([, text]) => [name, text]))
    .map(([name, text]) => `claim(${line}, ${JSON.stringify(text)}, ${name});\n`)
    .join('')
}

/** Whether the values that a comment claims are the result's. */
function agrees(text: string, result: unknown): boolean {
  const claimed = text.split(/, | and /)
  const results = listed(result)
  return claimed.length === results.length && claimed.every((each, i) => isRight(each, results[i]))
}

function listed(result: unknown): unknown[] {
  return ArrayBuffer.isView(result) || Array.isArray(result) ? Array.from(result as ArrayLike<unknown>) : [result]
}

function isRight(claimed: string, result: unknown): boolean {
  if (typeof result !== 'number') return claimed === String(result)
  const cut = claimed.endsWith('…')
  const [, digits, decimals = '', exponent = ''] = /^-?(\d+(?:\.(\d+))?(?:e([+-]?\d+))?)…?$/.exec(claimed) ?? []
  if (digits === undefined) return false
  if (!cut && decimals === '' && exponent === '') return result === Number(claimed)
  const unit = 10 ** (Number(exponent) - decimals.length)
  const sign = claimed.startsWith('-') ? -1 : 1
  const beyond = sign * result - Number(digits)
  return cut ? beyond >= 0 && beyond < unit : Math.abs(beyond) <= unit * (0.5 + 1e-9)
}
