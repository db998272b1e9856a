/**
 * Where this runs, and the environment variables, where there are any. Read when needed: this file also runs in browsers. Nothing here
 * asks: what Deno has not granted is taken for missing, as asking would stop a program at a question.
 */

/** What runs the program, as far as errors and workers differ by it. */
export type Runtime = 'node' | 'bun' | 'deno' | 'browser' | 'other'

interface Process {
  readonly env?: Readonly<Record<string, string | undefined>>
  readonly versions?: Readonly<Record<string, string | undefined>>
  readonly release?: { readonly name?: string }
  readonly platform?: string
  /** Node.js with --permission. */
  readonly permission?: object
  /** Of Electron. */
  readonly type?: string
}

interface Deno {
  readonly permissions: { querySync(wanted: { readonly name: string; readonly variable?: string }): { readonly state: string } }
}

const host = globalThis as { readonly process?: Process; readonly Deno?: Deno; readonly navigator?: { readonly userAgent?: string } }

export function runtime(): Runtime {
  const { process, navigator } = host
  const versions = process?.versions
  if (versions?.deno !== undefined) return 'deno'
  if (versions?.bun !== undefined) return 'bun'
  if (process?.release?.name === 'node' && process.type !== 'renderer' && navigator?.userAgent !== 'Cloudflare-Workers') return 'node'
  return navigator?.userAgent?.startsWith('Mozilla/') === true ? 'browser' : 'other'
}

/** With its version: `Node.js 24.22.3`. Empty where the version is nobody's business. */
export function describeRuntime(): string {
  const versions = host.process?.versions
  const names = { node: 'Node.js', bun: 'Bun', deno: 'Deno', browser: '', other: '' } as const
  const here = runtime()
  return names[here] && `${names[here]} ${versions?.[here] ?? ''}`
}

export function onWindows(): boolean {
  return host.process?.platform === 'win32'
}

/** Whether Node.js was started with --permission, or with the name that it had in Node.js 20. */
export function isRestricted(): boolean {
  return host.process?.permission !== undefined
}

/** Whether Deno allows it without a question; elsewhere there is nothing to allow. */
export function isGranted(name: 'env' | 'ffi' | 'read', variable?: string): boolean {
  return host.Deno === undefined || host.Deno.permissions.querySync(variable === undefined ? { name } : { name, variable }).state === 'granted'
}

/** A variable that may not be read counts as unset. */
export function environment(name: string): string | undefined {
  try {
    if (!isGranted('env', name)) return undefined
    const value = host.process?.env?.[name]
    return value === '' ? undefined : value
  } catch {
    return undefined
  }
}
