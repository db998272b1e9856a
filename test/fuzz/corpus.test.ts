/** Files that the fuzzer has found, each of which reaches code that no other does: all are read, or refused as they have to be. And the fuzzer's parts. */
import { afterAll, describe, expect, it } from 'vitest'
import { seeded } from '../support/random.js'
import { COMMITTED, savedIn } from './corpus.js'
import { Coverage, reaches } from './coverage.js'
import { minimised } from './minimise.js'
import { mutated } from './mutate.js'
import { Reader } from './read.js'
import { seeds } from './seeds.js'

// Of what has run before it begins, V8 does not count the blocks
const coverage = new Coverage('/src/cli/')
const reader = new Reader()
afterAll(() => reader.close())

describe.each(seeds)('$name', (seed) => {
  it.each(['disk', 'standard input'] as const)('is read from %s', async (way) => {
    expect(await reader.read(seed.bytes, seed, way)).toBe(false)
  })
})

it.each(savedIn(COMMITTED))('$seed.name of $bytes.length bytes is read or refused', async ({ seed, bytes }) => {
  for (const way of ['disk', 'standard input'] as const) expect(await reader.read(bytes, seed, way)).toBeTypeOf('boolean')
})

describe('the fuzzer', () => {
  const { bytes } = seeds[0]

  it('makes the same files of the same seed, and leaves alone what is before its place', () => {
    const files = (seed: number) => {
      const random = seeded(seed)
      return Array.from({ length: 50 }, () => Buffer.from(mutated(random, bytes, [bytes], 16)).toString('hex'))
    }
    expect(files(3)).toEqual(files(3))
    expect(files(4)).not.toEqual(files(3))
    expect(new Set(files(3).map((file) => file.slice(0, 32)))).toEqual(new Set([Buffer.from(bytes.subarray(0, 16)).toString('hex')]))
  })

  it('takes out all that a file does not need', async () => {
    const least = await minimised(Buffer.from('aaaaaaaaaaaaaaaaXaaaaaaaaaaYaaaaaaaaa'), 0, (shorter) => Promise.resolve(/X.*Y/.test(Buffer.from(shorter).toString())))
    expect(Buffer.from(least).toString()).toBe('XY')
  })

  it('sees which blocks have run', async () => {
    const runOf = async (file: Uint8Array) => {
      // What runs for the first time counts as a whole
      for (let k = 0; k < 2; k++) {
        coverage.take()
        await reader.read(file, seeds[0], 'disk')
      }
      return coverage.take()
    }
    const good = await runOf(bytes)
    coverage.keep(good)
    expect(coverage.newIn(await runOf(bytes))).toEqual([])
    const bad = await runOf(bytes.subarray(0, 40))
    const places = coverage.newIn(bad)
    expect(places.length).toBeGreaterThan(0)
    expect(reaches(bad, places)).toBe(true)
    expect(reaches(good, places)).toBe(false)
  })
})
