/** docs/quick-reference.md has every option: of each loss with its default, and of calls. */
import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import * as main from 'focal-loss'
import { evaluateNames } from '../src/analysis/evaluate/options.js'
import { explainNames } from '../src/analysis/explain/options.js'
import { methods } from '../src/problem/call.js'

const page = readFileSync(new URL('../docs/quick-reference.md', import.meta.url), 'utf8')

/** `gamma: 2` as code, by its name. */
const optionsIn = (cell: string) => Object.fromEntries(Array.from(cell.matchAll(/`(\w+): ([^`]+)`/g), ([, name, value]) => [name, value]))
const shown = (value: unknown) => (typeof value === 'string' ? `'${value}'` : String(value))

const rows = new Map(Array.from(page.matchAll(/^\| (?:`(\w+Loss)`|all) \| (.*) \|$/gm), ([, name = 'all', cell]) => [name, optionsIn(cell)]))
// ElementwiseLoss is the base that elementwiseLoss() makes losses of
const losses = Object.entries(main).flatMap(([name, value]) => (/^[A-Z]\w*Loss$/.test(name) && name !== 'ElementwiseLoss' && typeof value === 'function' ? [[name, value as unknown as new () => { readonly options: object }] as const] : []))

it('the losses are those of the package', () => {
  expect([...rows.keys()].toSorted()).toEqual(['all', ...losses.map(([name]) => name)].toSorted())
})

it.each(losses)('%s: its options and their defaults', (name, Loss) => {
  const options = Object.fromEntries(Object.entries(new Loss().options).map(([option, value]) => [option, shown(value)]))
  // What is of its own comes after what is of all
  expect({ ...rows.get('all'), ...rows.get(name) }).toEqual(options)
})

it('the options of calls, of explain and of evaluate', () => {
  const names = new Set([...Object.values(methods).flatMap(({ options }) => [...options]), ...explainNames, ...evaluateNames])
  expect([...names].filter((name) => !new RegExp(`\\b${name}\\b`).test(page))).toEqual([])
})
