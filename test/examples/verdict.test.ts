import { describe, expect, it } from 'vitest'
import { formatDifference, intervalOf, pairedInterval } from '../../examples/cell-detector/intervals.js'
import type { Result } from '../../examples/cell-detector/results.js'
import { seedTable, seedVerdict } from '../../examples/cell-detector/seeds.js'
import type { Start } from '../../examples/cell-detector/variants.js'
import { verdict } from '../../examples/cell-detector/verdict.js'

const result = (name: string, focal: boolean, averagePrecision: number, resampled: number[], start: Start = 'zero bias'): Result => ({
  variant: { name, loss: {}, start, bias: -1 },
  focal,
  training: { epochLosses: [], seconds: 1, lossSeconds: 0 },
  testLogits: new Float32Array(),
  curve: [],
  averagePrecision,
  resampled,
  threshold: 0,
  testF1: 0,
})

/** Of 100 drawings, focal loss is ahead in `wins`. */
const compared = (focal: number, crossEntropy: number, wins: number) => [
  result('weighted', false, crossEntropy / 2, Array<number>(100).fill(0)),
  result('plain', false, crossEntropy, Array<number>(100).fill(0.5)),
  result('focused', true, focal, Array.from({ length: 100 }, (_, draw) => (draw < wins ? 0.6 : 0.4))),
]

describe('the closing sentence follows from the numbers', () => {
  it.each([
    { focal: 0.6, crossEntropy: 0.5, wins: 100, says: ['(focused) reaches 0.600, above the best cross entropy (plain) at 0.500', 'it is ahead by more'] },
    { focal: 0.4, crossEntropy: 0.5, wins: 1, says: ['below the best', 'ahead in 1 %: it is behind by more'] },
    { focal: 0.51, crossEntropy: 0.5, wins: 60, says: ['above the best', 'these images cannot tell the two apart'] },
    { focal: 0.5, crossEntropy: 0.5, wins: 50, says: ['level with the best'] },
  ])('focal $focal, cross entropy $crossEntropy, $wins wins', ({ focal, crossEntropy, wins, says }) => {
    const sentence = verdict(compared(focal, crossEntropy, wins), 72)
    for (const part of says) expect(sentence).toContain(part)
  })

  it('claims nothing from a handful of images', () => {
    expect(verdict(compared(0.6, 0.5, 100), 3)).toContain('3 test images are too few to tell')
  })

  it('says what the RetinaNet rule costs focal loss', () => {
    const both = [result('plain', false, 0.5, [0.5]), result('own', true, 0.52, [0.5], 'prior'), result('rule', true, 0.5, [0.5], 'RetinaNet rule')]
    expect(verdict(both, 72)).toContain('starts at loss.priorBias(prior) = -1.00 ends 0.020 above the same loss from the RetinaNet rule')
  })
})

describe('intervals over seeds', () => {
  it('are those of Student', () => {
    // scipy.stats.t.interval(0.95, 4, 3, sqrt(2.5 / 5)): 3 ± 1.9632
    const { mean, half } = intervalOf([1, 2, 3, 4, 5])
    expect(mean).toBe(3)
    expect(half).toBeCloseTo(1.9632, 3)
    expect(formatDifference({ mean: 0.02, half: 0.007 }, 3)).toBe('+0.020 ± 0.007')
  })

  it('are narrower in pairs, where both sides share what varies', () => {
    expect(pairedInterval([1, 2, 3.1], [0, 1, 2])).toEqual(intervalOf([1, 1, 1.1]))
    expect(() => pairedInterval([1, 2], [1])).toThrow('a has 2 numbers and b 1')
    expect(() => intervalOf([1])).toThrow('needs at least 2')
  })

  const scores = [
    { name: 'cross entropy, prior', averagePrecision: [0.5, 0.51, 0.52] },
    { name: 'focal, gamma 2, alpha 0.25, prior', averagePrecision: [0.5, 0.512, 0.519] },
    { name: 'focal, gamma 2, alpha 0.25, RetinaNet rule', averagePrecision: [0.48, 0.49, 0.5] },
  ]

  it('tell a tie from a difference', () => {
    expect(seedVerdict(scores)).toBe(
      'Over 3 seeds focal loss from loss.priorBias(prior) is not to be told from (+0.0003 ± 0.0038) cross entropy from its own (ahead in 1 of 3), ' +
        'and better than (+0.0203 ± 0.0038) itself from the RetinaNet rule (ahead in 3 of 3).',
    )
    expect(seedTable(scores).rows[2]).toEqual(['focal, gamma 2, alpha 0.25, RetinaNet rule', '0.4900 ± 0.0248', '-0.0200 ± 0.0000', '0 of 3'])
  })
})
