/** Finds an addon: a checkout's own build, else the prebuilt package for this platform. */
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { BackendError, reasonOf } from '../../errors.js'

/** One way to load an addon. */
export type Attempt = (require: (name: string) => unknown) => unknown

/** Where an addon may come from. */
export interface AddonSources {
  /** As an error names it: 'native'. */
  readonly name: string
  /** A checkout's own build, which goes before what may be installed; in an installed package there is no such file. */
  readonly fromCheckout: () => unknown
  /** Packages by their names, which are literal, so that bundlers and packagers see what may be loaded. */
  readonly prebuilt: Readonly<Partial<Record<string, Attempt>>>
  /** What comes after the platform in a package's name. */
  readonly suffix: string
  /** What to do where none could be loaded, given the name of this platform's package and whether there is such a package. */
  readonly remedy: (name: string, exists: boolean) => string
}

/** Throws a {@link BackendError} that lists what was tried and says what to do. */
export function loadAddon({ name, fromCheckout, prebuilt, suffix, remedy }: AddonSources): unknown {
  const failures: string[] = []
  const packageName = platformPackage() + suffix
  const attempt = prebuilt[packageName]
  // The require is made in the attempt: a bundle may not know where it lies, which is another reason and not the end
  const attempts = [fromCheckout, attempt && (() => attempt(createRequire(import.meta.url)))]
  for (const load of attempts) {
    if (load === undefined) {
      failures.push(`there is no package ${packageName}`)
      continue
    }
    try {
      return load()
    } catch (error) {
      // The lines below the first list who required whom
      failures.push(reasonOf(error).split('\n')[0])
    }
  }
  throw new BackendError(`The ${name} addon could not be loaded (${failures.join('; ')}). ${remedy(packageName, attempt !== undefined)}`)
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
