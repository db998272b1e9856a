/** The check of the framework that an adapter is given. */
import { show } from '../errors.js'

/**
 * An object with these functions: the framework's namespace. Calls mostly go wrong by leaving it out, or by putting the loss first.
 *
 * @param order the call as it should be.
 */
export function checkFramework(name: string, value: unknown, functions: readonly string[], framework: string, order: string): void {
  const given = Object(value) as Record<string, unknown>
  if (functions.every((each) => typeof given[each] === 'function')) return
  const came = typeof given.valueAndGrad === 'function' ? 'a loss' : show(value)
  throw new TypeError(`${name} is ${came}; expected the namespace of ${framework}, as in ${order}`)
}
