/**
 * The environment variables, where there is an environment. Read when needed: this file also runs in browsers. A variable that may not
 * be read (Deno without --allow-env) counts as unset.
 */
export function environment(name: string): string | undefined {
  try {
    const host = globalThis as { process?: { env?: Record<string, string | undefined> } }
    const value = host.process?.env?.[name]
    return value === '' ? undefined : value
  } catch {
    return undefined
  }
}
