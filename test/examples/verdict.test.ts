import { describe, expect, it } from 'vitest'
import type { Result } from '../../examples/cell-detector/results.js'
import { verdict } from '../../examples/cell-detector/verdict.js'

const result = (name: string, focal: boolean, averagePrecision: number, resampled: number[]): Result => ({
  variant: { name, loss: {}, bias: 0 },
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
    expect(verdict(compared(0.6, 0.5, 100), 3)).toContain('with 3 test images that says little')
  })
})
