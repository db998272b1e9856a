import { backends, getBackend, setBackend } from 'focal-loss'
import { messageOf, UserError } from './errors.js'

/** Lets the user's choice stand, or the library's. */
export function chooseBackend(wanted: string | undefined): void {
  if (wanted === undefined) {
    expectBackend('', getBackend)
    return
  }
  const known = backends().find(({ name }) => name === wanted)
  if (known === undefined) {
    const names = backends().map(({ name }) => name)
    throw new UserError(`--backend ${wanted}: expected one of ${names.join(', ')}`)
  }
  expectBackend(`--backend ${wanted}: `, () => setBackend(known.name))
}

function expectBackend(prefix: string, use: () => unknown): void {
  try {
    use()
  } catch (error) {
    throw new UserError(prefix + messageOf(error))
  }
}

/** Which backend computes the loss, and why not a faster one. */
export function describeBackend(wanted: string | undefined): string[] {
  const all = backends()
  const chosen = getBackend()
  const description = all.find(({ name }) => name === chosen)?.description ?? ''
  const headline = (why: string): string => `Backend of the loss: ${chosen} (${description}), ${why}.`
  if (wanted !== undefined) return [headline('as asked with --backend')]
  const environment = process.env.FOCAL_LOSS_BACKEND ?? 'auto'
  if (environment !== 'auto') return [headline('as the environment variable FOCAL_LOSS_BACKEND says')]
  return [headline('the fastest that runs here'), ...all.filter(({ available }) => !available).map(({ name, reason }) => `  not ${name}: ${reason}`)]
}
