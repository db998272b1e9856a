/** The reference in docs/api, made from the docstrings by `npm run docs`. Whatever is wrong with one is an error. */
import { readFileSync } from 'node:fs'
import { Converter, ReferenceType, ReflectionKind } from 'typedoc'
import ts from 'typescript'

const { compilerOptions } = JSON.parse(readFileSync(new URL('tsconfig.json', import.meta.url), 'utf8'))
/** The package's entries; `focal-loss/wasm` exports what `focal-loss` does. */
const entries = Object.entries(compilerOptions.paths).flatMap(([name, files]) => (name === 'focal-loss/wasm' ? [] : files))

const { CallSignature, Class, ClassMember, Constructor, Function, Interface, Property, TypeAlias, TypeLiteral, Variable } = ReflectionKind

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

/** What is inherited is told once, where it comes from. */
function withoutInherited({ converter }) {
  converter.on(Converter.EVENT_RESOLVE_BEGIN, ({ project }) => {
    for (const member of project.getReflectionsByKind(ClassMember)) {
      delete member.overwrites
      if (member.inheritedFrom) project.removeReflection(member)
    }
  })
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
  plugin: ['typedoc-plugin-markdown', lossesAreClasses, withoutInherited, allDocumented],
  out: 'docs/api',
  readme: 'none',
  outputFileStrategy: 'modules',
  sort: ['kind', 'source-order'],
  groupOrder: ['Classes', 'Functions', 'Variables', 'Interfaces', 'Type Aliases'],
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
