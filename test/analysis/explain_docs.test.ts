/** The table of docs/explain.md. */
import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { SigmoidFocalLoss } from 'focal-loss'

/** `bins.0.negatives.count` of an explained loss. */
function at(explained: unknown, path: string): number {
  return path.split('.').reduce((value, name) => (value as Record<string, unknown>)[name], explained) as number
}

it('docs/explain.md: the worked example', () => {
  const logit = (p: number) => Math.log(p / (1 - p))
  const logits = Float64Array.from([0.8, 0.25, 0.02, 0.02, 0.05, 0.15, 0.15, 0.6], logit)
  const targets = [1, 1, 0, 0, 0, 0, 0, 0]
  const { losses } = new SigmoidFocalLoss({ alpha: null }).explain(logits, targets, { gammas: [0, 2], bins: [0, 0.5, 0.9, 1], hardest: 2 })
  const rows = [...readFileSync(new URL('../../docs/explain.md', import.meta.url), 'utf8').matchAll(/^\| `([\w.]+)` \| (\S+) \| (\S+) \|/gm)]
  expect(rows).toHaveLength(18)
  for (const [, path, ...told] of rows) {
    expect([path, ...losses.map((one) => String(Number(at(one, path).toPrecision(4))))]).toEqual([path, ...told])
  }
})
