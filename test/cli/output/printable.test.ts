import { describe, expect, it } from 'vitest'
import { namesText, printable } from '../../../src/cli/output/printable.js'

describe('text from files in messages', () => {
  it('has control characters as escapes', () => {
    expect(printable('a\u0000b\u001b[1m')).toBe('a\\x00b\\x1b[1m')
    expect(printable('日本 é')).toBe('日本 é')
  })

  it('is cut off where it is seen to be long, and never within an escape', () => {
    expect(printable('abcdef', 6)).toBe('abcdef')
    expect(printable('abcdefg', 6)).toBe('abcdef...')
    expect(printable('\u0000'.repeat(80), 80)).toBe(`${'\\x00'.repeat(20)}...`)
    expect(printable('abc\u0000', 5)).toBe('abc...')
  })

  it('lists names, few of them', () => {
    expect(namesText(['logit', '', 'target'])).toBe("logit, '', target")
    expect(namesText(Array.from({ length: 12 }, (_, k) => `c${k}`))).toBe('c0, c1, c2, c3, c4, c5, c6, c7, c8, c9, c10, c11')
    expect(namesText(Array.from({ length: 13 }, (_, k) => `c${k}`))).toBe('c0, c1, c2, c3, c4, c5, c6, c7, c8, c9 ... c12')
  })

  it('lists fewer names where they are long', () => {
    const long = Array.from({ length: 12 }, (_, k) => `${'x'.repeat(70)}${k}`)
    expect(namesText(long)).toBe(`${long.slice(0, 4).join(', ')} ... ${long[11]}`)
    for (const names of [['\u0001'.repeat(1000), '\u0002'.repeat(1000)], Array.from({ length: 30 }, () => '\u0003'.repeat(99)), ['y'.repeat(5000)]]) expect(namesText(names).length).toBeLessThan(400)
  })
})
