/** What the page of `focal-loss explain --html` draws, and what it leaves out. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { explainFolder } from '../../support/explain_command.js'

const { folder, explain, file } = explainFolder('page')
const rows = Array.from({ length: 60 }, (_, r) => [3 * Math.sin(r), 2 * Math.cos(3 * r), r % 3])
/** Where every row has a class there is nothing to draw of rows without. */
const titles = (page: string) => [...page.matchAll(/<text [^>]*font-size="14">([^<]+)</g)].map(([, title]) => title)

it('a softmax whose rows all have a class has one column of charts', () => {
  const all = file('all.csv', ['logit_a,logit_b,label', ...rows.map(([a, b, y]) => [a, b, y % 2])].join('\n'))
  const some = file('some.csv', ['logit_a,logit_b,label', ...rows].join('\n'))
  expect(explain(all, '--loss', 'softmax', '--html', 'all.html').status).toBe(0)
  expect(explain(some, '--loss', 'softmax', '--background', '2', '--html', 'some.html').status).toBe(0)
  const [allPage, somePage] = ['all.html', 'some.html'].map((name) => readFileSync(join(folder, name), 'utf8'))
  const scores = ['Reliability of the top label', 'Precision and recall of the top label', 'Thresholds of the top label']
  expect(titles(allPage)).toEqual(['Cumulative loss of the rows with a class', 'Loss of the rows with a class, by p_t', ...scores])
  expect(titles(somePage)).toEqual([
    'Cumulative loss of the rows with a class',
    'Loss of the rows with a class, by p_t',
    'Cumulative loss of the rows without a class',
    'Loss of the rows without a class, by p_t',
    ...scores,
  ])
}, 60_000)

it('bins of fewer than five examples are no points of the reliability diagram', () => {
  // 20 at a probability of 0.5, and 4 at 0.88
  const table = file('few.csv', ['score,label', ...Array.from({ length: 24 }, (_, k) => `${k < 20 ? 0 : 2},${k % 2}`)].join('\n'))
  expect(explain(table, '--html', 'few.html').status).toBe(0)
  const page = readFileSync(join(folder, 'few.html'), 'utf8')
  const reliability = page.slice(page.indexOf('>Reliability<'))
  const [raw, recalibrated, diagonal] = [...reliability.matchAll(/<polyline points="([^"]*)"/g)].map(([, points]) => points.split(' ').length)
  expect([raw, recalibrated, diagonal]).toEqual([1, 1, 2])
}, 60_000)
