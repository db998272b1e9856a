/** The environment variables, where there is an environment. Read when needed: this file also runs in browsers. */
export function environment(name: string): string | undefined {
  const host = globalThis as { process?: { env?: Record<string, string | undefined> } }
  const value = host.process?.env?.[name]
  return value === '' ? undefined : value
}
