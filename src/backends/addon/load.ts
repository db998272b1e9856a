/** Finds an addon: a checkout's own build, else the prebuilt package for this platform. What is loaded is checked before it is used. */
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { isGranted, isRestricted } from '../../environment.js'
import { BackendError, reasonOf, show } from '../../errors.js'
import { ABI } from '../layout.js'

/** Where an addon may come from. */
export interface AddonSources {
  /** As an error names it: 'native'. */
  readonly name: string
  /** A checkout's own build, which goes before what may be installed; in an installed package there is no such file. */
  readonly fromCheckout: () => unknown
  /**
   * Packages by their names, each in a call of a variable `require` with its literal name: so packagers (Next.js's among them) see what may be
   * loaded. Throws in a bundle that does not know where it lies.
   */
  readonly prebuilt: () => Readonly<Partial<Record<string, () => unknown>>>
  /** What comes after the platform in a package's name. */
  readonly suffix: string
  /** The numbers and functions that the addon exports, beside `abi`. */
  readonly members: Readonly<Record<string, 'number' | 'function'>>
  /** What the functions give that is not the addon's; undefined where nothing is wrong. */
  readonly wrongWith?: (exports: never) => string | undefined
  /**
   * What to do where none could be loaded. `published` is this platform's package with its version, where a registry has it; undefined
   * where no package is made for the platform, or none has been published.
   */
  readonly remedy: (published: string | undefined) => string
}

/** Throws a {@link BackendError} that lists what was tried and says what to do. */
export function loadAddon(sources: AddonSources): unknown {
  const { name, fromCheckout, prebuilt, suffix, remedy } = sources
  if (!(isGranted('ffi') && isGranted('read'))) {
    throw new BackendError(`The ${name} addon is loaded where Deno allows it; run deno with --allow-ffi and --allow-read. Without it, use wasm or js.`)
  }
  const failures: string[] = []
  const packageName = platformPackage() + suffix
  let isMade = false
  const attempts = [
    { from: "the checkout's build", load: fromCheckout },
    {
      from: packageName,
      load: () => {
        const attempt = prebuilt()[packageName]
        isMade = attempt !== undefined
        if (attempt === undefined) throw new Error(`there is no package ${packageName}`)
        return attempt()
      },
    },
  ]
  for (const { from, load } of attempts) {
    try {
      const exports = load()
      const wrong = complaint(exports, sources)
      if (wrong === undefined) return exports
      failures.push(`${from} ${wrong}`)
    } catch (error) {
      if (isForbidden(error)) throw new BackendError(`The ${name} addon may not be loaded here; run node ${isRestricted() ? 'with --allow-addons' : 'without --no-addons'}. Without it, use wasm or js.`)
      // The lines below the first list who required whom
      failures.push(reasonOf(error).split('\n')[0])
    }
  }
  const version = isMade ? releasedVersion() : undefined
  throw new BackendError(
    `The ${name} addon could not be loaded (${failures.join('; ')}). ${remedy(version && `${packageName}@${version}`)}`,
  )
}

/** Whether Node.js was started so that it loads no addon at all. */
function isForbidden(error: unknown): boolean {
  return (error as { readonly code?: unknown } | null)?.code === 'ERR_DLOPEN_DISABLED'
}

/** What is wrong with what was loaded; undefined where it is the addon of this version. */
function complaint(loaded: unknown, { members, wrongWith }: AddonSources): string | undefined {
  const exports = Object(loaded) as Record<string, unknown>
  const { abi } = exports
  if (typeof abi === 'number' && abi !== ABI) return `speaks version ${abi} of the kernel's interface and this package version ${ABI}`
  for (const [name, kind] of Object.entries({ abi: 'number', ...members })) {
    if (typeof exports[name] !== kind) return `is not the addon: ${name} is ${show(exports[name])}; expected a ${kind}`
  }
  const wrong = wrongWith?.(exports as never)
  return wrong && `is not the addon: ${wrong}`
}

/**
 * The version in which the prebuilt packages are on a registry: a release names them as optional dependencies
 * (scripts/prebuilt/link.mjs). In a checkout, and in what is packed from one, nobody could install them.
 */
function releasedVersion(): string | undefined {
  try {
    const manifest = createRequire(import.meta.url)('focal-loss/package.json') as { version: string; optionalDependencies?: object }
    const names = Object.keys(manifest.optionalDependencies ?? {})
    return names.some((name) => name.startsWith('@focal-loss/')) ? manifest.version : undefined
  } catch {
    // A bundle that lies far from the package
    return undefined
  }
}

/** The package with an addon for this platform, whether there is one or not. */
export function platformPackage(): string {
  const { platform, arch } = process
  const libc = platform === 'linux' ? (usesMusl() ? '-musl' : '-gnu') : ''
  return `@focal-loss/${platform}-${arch}${libc}`
}

/** Whether this process runs on musl, by the libraries in its memory: that starts no process and asks no network. */
function usesMusl(): boolean {
  try {
    return /\/(ld-musl-|libc\.musl-)/.test(readFileSync('/proc/self/maps', 'latin1'))
  } catch {
    // Without /proc, glibc is the likelier one
    return false
  }
}
