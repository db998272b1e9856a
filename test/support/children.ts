/** Processes of their own that use the built package: what it prints, how it ends, how long it takes. */
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/** Here `focal-loss` means the package itself, through its exports and dist/. */
const root = fileURLToPath(new URL('../..', import.meta.url))

interface Child {
  readonly status: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
}

/** Where a child runs, and what Node.js is told before the script. */
interface Setting {
  readonly folder?: string
  readonly flags?: readonly string[]
}

/** Milliseconds that a child has. Under a sanitizer it needs more. */
const LIMIT = Number(process.env.FOCAL_LOSS_TEST_LIMIT ?? 60_000)

/** Runs a script, `import` or `require` as its kind says, with only these FOCAL_LOSS_ variables set. */
export function runScript(
  kind: 'module' | 'commonjs',
  script: string,
  variables: Record<string, string> = {},
  { folder = root, flags = [] }: Setting = {},
): Child {
  if (!existsSync(`${root}/dist/node.js`)) throw new Error('dist/ is missing; npm run build:js makes it')
  const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith('FOCAL_LOSS_') && name !== 'NODE_OPTIONS')
  const { status, signal, stdout, stderr } = spawnSync(process.execPath, [...flags, `--input-type=${kind}`, '--eval', script], {
    cwd: folder,
    env: { ...Object.fromEntries(inherited), ...variables },
    encoding: 'utf8',
    timeout: LIMIT,
  })
  return { status, signal, stdout, stderr }
}
