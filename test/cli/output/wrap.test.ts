import { expect, it } from 'vitest'
import { fittedColumns } from '../../../src/cli/output/table.js'
import { wrapped } from '../../../src/cli/output/wrap.js'

it.each([
  ['short', 'one two', ['one two']],
  ['of exactly the width', 'one two three', ['one two three']],
  ['longer', 'one two three four five six', ['one two three', '  four five', '  six']],
  ['with a word that is too long', 'at /a/path/that/is/long end', ['at', '  /a/path/that', '  /is/long end']],
])('a text that is %s', (_, text, lines) => {
  expect(wrapped(text, 13 + (text.startsWith('at') ? 1 : 0), 2)).toEqual(lines)
})

it('a table without columns of text has its first column again in each part', () => {
  const rows = [['row', 'first', 'second', 'third'], ['7', '1', '2', '3']]
  expect(fittedColumns(rows, 0, 18)).toEqual(['row  first  second', '  7      1       2', '', 'row  third', '  7      3'])
})
