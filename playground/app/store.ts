/** The reader's settings. They are kept in the address, so that a link shows the same page; defaults are left out. */

export interface Parameter<T> {
  readonly initial: T
  /** `undefined` for what is no value of this parameter. */
  readonly parse: (text: string) => T | undefined
  readonly format: (value: T) => string
}

export interface NumberParameter extends Parameter<number> {
  readonly min: number
  readonly max: number
  readonly step: number
}

export function number(initial: number, min: number, max: number, step: number): NumberParameter {
  const parse = (text: string) => {
    const value = text.trim() === '' ? NaN : Number(text)
    return value >= min && value <= max ? value : undefined
  }
  return { initial, min, max, step, parse, format: (value) => String(Number(value.toPrecision(10))) }
}

export function choice<T extends string>(initial: T, ...others: readonly T[]): Parameter<T> {
  const all = [initial, ...others]
  return { initial, parse: (text) => all.find((one) => one === text), format: (value) => value }
}

export function flag(initial: boolean): Parameter<boolean> {
  return { initial, parse: (text) => (text === 'yes' ? true : text === 'no' ? false : undefined), format: (on) => (on ? 'yes' : 'no') }
}

/** Any of the options, in their order. */
export function someOf(initial: readonly number[], options: readonly number[]): Parameter<readonly number[]> {
  return {
    initial,
    parse(text) {
      const values = text === 'none' ? [] : text.split('_').map(Number)
      return text !== '' && values.every((value) => options.includes(value)) ? options.filter((option) => values.includes(option)) : undefined
    },
    format: (values) => (values.length === 0 ? 'none' : values.join('_')),
  }
}

/** The parameters of one panel. */
export interface Store<V extends object> {
  readonly values: Readonly<V>
  set(change: Partial<V>): void
  /** Calls back now and after every change. */
  watch(changed: (values: Readonly<V>) => void): void
}

interface Part {
  readonly prefix: string
  read(from: URLSearchParams): void
  write(to: URLSearchParams): void
}

const parts: Part[] = []

/** Made once for each panel; `prefix` names it in the address. */
export function createStore<V extends object>(prefix: string, parameters: { readonly [K in keyof V]: Parameter<V[K]> }): Store<V> {
  const names = Object.keys(parameters) as (keyof V & string)[]
  const watchers: ((values: Readonly<V>) => void)[] = []
  const readFrom = (from: URLSearchParams): V => {
    const entries = names.map((name) => [name, parameters[name].parse(from.get(`${prefix}.${name}`) ?? '') ?? parameters[name].initial])
    return Object.fromEntries(entries) as V
  }
  const tell = () => {
    for (const watcher of watchers) watcher(store.values)
  }
  const store = {
    values: readFrom(current()),
    set(change: Partial<V>) {
      store.values = { ...store.values, ...change }
      tell()
      keep()
    },
    watch(changed: (values: Readonly<V>) => void) {
      watchers.push(changed)
      changed(store.values)
    },
  }
  parts.push({
    prefix,
    read(from) {
      store.values = readFrom(from)
      tell()
    },
    write(to) {
      for (const name of names) {
        const { format, initial } = parameters[name]
        const text = format(store.values[name])
        if (text === format(initial)) to.delete(`${prefix}.${name}`)
        else to.set(`${prefix}.${name}`, text)
      }
    },
  })
  return store
}

/** Changes what `settings` names, written as in the address, and nothing else. Panels that are not loaded yet find it there. */
export function applySettings(settings: string): void {
  const address = current()
  for (const part of parts) part.write(address)
  for (const [name, value] of new URLSearchParams(settings)) address.set(name, value)
  history.replaceState(null, '', `#${address.toString()}`)
  for (const part of parts) part.read(address)
  keep()
}

/** Follows the address where the reader changes it. */
export function followAddress(): void {
  addEventListener('hashchange', () => {
    const address = current()
    for (const part of parts) part.read(address)
  })
}

function current(): URLSearchParams {
  return new URLSearchParams(location.hash.slice(1))
}

let waiting: ReturnType<typeof setTimeout> | undefined

/** Browsers forbid more than some changes a second. What panels hold that are not loaded yet stays as it is. */
function keep(): void {
  clearTimeout(waiting)
  waiting = setTimeout(() => {
    const address = current()
    for (const part of parts) part.write(address)
    const text = address.toString()
    history.replaceState(null, '', text === '' ? location.pathname + location.search : `#${text}`)
  }, 150)
}
