/** Cells that are null where a column holds lists. */
import { expect, it } from 'vitest'
import { put, widthOf } from '../../../../src/cli/explain/files/cells.js'

it('a list of targets that is null is as many targets that are missing, and one of logits is refused', () => {
  const numbers = Float64Array.of(5, 5, 5, 5)
  expect(put('labels', null, 3, true, numbers, 1)).toBe(4)
  expect([...numbers]).toEqual([5, NaN, NaN, NaN])
  expect(() => put('row 2: column logits', null, 3, false, numbers, 0)).toThrow('row 2: column logits holds null; expected a number')
  expect(() => put('row 2: column labels', [], 3, true, numbers, 0)).toThrow('row 2: column labels has 0 numbers; expected 3, as in the first row')
})

it('the first list that is not null tells how long they are', () => {
  const widthIn = (cells: readonly unknown[]) => widthOf(cells.length, (row) => cells[row], (row) => `row ${row}`)
  expect([widthIn([null, [1, 0, 1], null]), widthIn([null, 0.5]), widthIn([null]), widthIn([])]).toEqual([3, 1, 1, 1])
  expect(() => widthIn([null, []])).toThrow('row 1 has an empty list; expected numbers')
})
