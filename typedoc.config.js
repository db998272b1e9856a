/** The reference in docs/api, made from the docstrings by `npm run docs`. Whatever is wrong with one is an error. */
import { readFileSync } from 'node:fs'
import { CommentTag, Converter, OptionDefaults, ReferenceType, ReflectionKind } from 'typedoc'
import ts from 'typescript'

const { compilerOptions } = JSON.parse(readFileSync(new URL('tsconfig.json', import.meta.url), 'utf8'))
/** The package's entries; `focal-loss/wasm` exports what `focal-loss` does. */
const entries = Object.entries(compilerOptions.paths).flatMap(([name, files]) => (name === 'focal-loss/wasm' ? [] : files))

const { CallSignature, Class, ClassMember, Constructor, Function, Interface, Method, Property, TypeAlias, TypeLiteral, Variable } = ReflectionKind

/** A loss is an interface and a constant of one name, told as one class: its base is the interface's, and `new` gives it with its type argument. */
function lossesAreClasses({ converter }) {
  const losses = new Set()
  converter.on(Converter.EVENT_CREATE_DECLARATION, (context, reflection) => {
    const declarations = reflection.kindOf(Class) ? (context.getSymbolFromReflection(reflection)?.declarations ?? []) : []
    const bases = declarations.filter(ts.isInterfaceDeclaration).flatMap(({ heritageClauses }) => heritageClauses.flatMap(({ types }) => types))
    if (bases.length === 0) return
    reflection.extendedTypes = bases.map((base) => converter.convertType(context.withScope(reflection), base))
    losses.add(reflection)
  })
  converter.on(Converter.EVENT_RESOLVE_BEGIN, ({ project }) => {
    for (const { children, typeParameters } of losses) {
      const made = children.find((member) => member.kindOf(Constructor))
      delete made.inheritedFrom
      for (const signature of made.signatures) {
        delete signature.inheritedFrom
        signature.typeParameters = typeParameters
        signature.type.typeArguments = typeParameters.map((each) => ReferenceType.createResolvedReference(each.name, each, project))
      }
    }
  })
}

/** What is inherited is told once, where it comes from; a loss's page leads there. */
function withoutInherited({ converter }) {
  converter.on(Converter.EVENT_RESOLVE_BEGIN, ({ project }) => {
    const base = project.getChildByName('focal-loss.FocalLossBase')
    const links = base.children
      .filter((member) => member.kindOf(Method))
      .flatMap((method, index) => [
        { kind: 'text', text: index === 0 ? '' : ', ' },
        { kind: 'inline-tag', tag: '@link', target: method, text: method.name },
      ])
    for (const member of project.getReflectionsByKind(ClassMember)) {
      delete member.overwrites
      if (member.inheritedFrom) project.removeReflection(member)
    }
    for (const loss of project.getReflectionsByKind(Class).filter(isLoss)) loss.comment.blockTags.push(new CommentTag('@methods', links))
  })
}

const isLoss = ({ name }) => /Loss$/.test(name)
/** Its place among the losses: those that most want come first. */
const placeOf = ({ name }) => ['SoftmaxFocalLoss', 'SigmoidFocalLoss'].indexOf(name)

const fileOf = (project, reflection) => project.getSymbolIdFromReflection(reflection)?.packagePath ?? ''

/** Losses come before all else, and arrays on GPUs after it. */
function inGroups({ converter }) {
  const group = (reflection, text) => reflection.comment.blockTags.push(new CommentTag('@group', [{ kind: 'text', text }]))
  converter.on(Converter.EVENT_RESOLVE_BEGIN, ({ project }) => {
    for (const each of project.getReflectionsByKind(Class | Function | Interface | TypeAlias)) {
      const [documented] = each.signatures ?? [each]
      if (documented.comment === undefined) continue
      if (each.kindOf(Class) && isLoss(each)) group(each, 'Losses')
      else if (/cuda|device_array/.test(fileOf(project, each))) group(documented, 'Arrays on GPUs')
    }
  })
  const inOrder = (a, b) => placeOf(b) - placeOf(a)
  converter.on(Converter.EVENT_RESOLVE_END, ({ project }) => {
    for (const { groups } of project.children) groups?.find(({ title }) => title === 'Losses')?.children.sort(inOrder)
  }, -10_000)
}

/** Every export and every member has a docstring. Results and presets, which are object types, are told as a whole. */
function allDocumented({ converter, logger }) {
  const isInObjectType = ({ parent }) => parent?.kindOf(TypeLiteral) || (parent !== undefined && isInObjectType(parent))
  converter.on(Converter.EVENT_END, ({ project }) => {
    for (const each of project.getReflectionsByKind(Class | CallSignature | Function | Interface | Property | TypeAlias | Variable)) {
      if (!each.signatures && !each.hasComment() && !isInObjectType(each)) logger.error(`${each.getFullName()} has no docstring`)
    }
  })
}

export default {
  entryPoints: entries,
  plugin: ['typedoc-plugin-markdown', lossesAreClasses, withoutInherited, inGroups, allDocumented],
  out: 'docs/api',
  readme: 'none',
  outputFileStrategy: 'members',
  blockTags: [...OptionDefaults.blockTags, '@methods'],
  sort: ['kind', 'source-order'],
  groupOrder: ['Losses', 'Functions', 'Classes', 'Variables', 'Interfaces', 'Type Aliases', 'Arrays on GPUs'],
  disableSources: true,
  excludeProtected: true,
  skipErrorChecking: true,
  validation: { notExported: true, invalidLink: true, rewrittenLink: true },
  // How Float16 is there for some compilers only; the table behind HostArray; the functions of TensorFlow.js that are used
  // The interface of arrays on GPUs is that of the class which the main entry exports by the same name
  intentionallyNotExported: ['OrFloat16', 'HostArrays', 'FusedOperations', 'ComposedOperations', 'ShaderOperations', 'GpuCommandEncoder', 'GpuPipeline', 'src/arrays/device_array.ts:DeviceArray'],
  treatWarningsAsErrors: true,
  logLevel: 'Warn',
  hidePageHeader: true,
  hideBreadcrumbs: true,
  parametersFormat: 'table',
  interfacePropertiesFormat: 'table',
  classPropertiesFormat: 'table',
  propertyMembersFormat: 'table',
  typeAliasPropertiesFormat: 'table',
  typeDeclarationFormat: 'table',
  tableColumnSettings: { hideModifiers: true, hideDefaults: true, hideInherited: true, hideOverrides: true },
}
