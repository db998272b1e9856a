/** The examples' ways to the real boosters, where they are installed; else the sentences that say what to install. */
import { describe, expect, it } from 'vitest'
import type { Matrix } from '../../examples/boosting/booster.js'
import { loadLightGBM } from '../../examples/boosting/lightgbm.js'
import { loadXGBoost } from '../../examples/boosting/xgboost.js'

/** Rows of two halves, of which each is enough for a leaf. */
const HALF = 40
const data: Matrix = { rows: 2 * HALF, columns: [Float64Array.from({ length: 2 * HALF }, (_, r) => Number(r >= HALF))] }
const halves = (...values: number[]) => values.flatMap((value) => Array<number>(HALF).fill(value))

describe.each([
  ['XGBoost', loadXGBoost, /is not installed: .*(npm install|libxgboost-dev)/],
  ['LightGBM', loadLightGBM, /is not installed: .*(npm install|pip install lightgbm)/],
])('%s', (_, load, missing) => {
  it('starts from the margins it is given, and moves rows by no more than a Newton step', async () => {
    const booster = await load()
    if (typeof booster === 'string') {
      expect(booster).toMatch(missing)
      return
    }
    const seen: number[][] = []
    const grad = Float32Array.from(halves(1, -2))
    const objective = (margins: Float32Array) => {
      seen.push([...margins])
      return { grad, hess: new Float32Array(2 * HALF).fill(1) }
    }
    const longest = booster.train(data, data, { rounds: 2, classes: 1, rate: 0.5, depth: 1, base: [-3] }, objective, () => undefined)
    expect(seen).toEqual([halves(-3, -3), halves(-3.5, -2)])
    expect(longest).toBeCloseTo(2, 6)
  })

  it('has its classes where it says', async () => {
    const booster = await load()
    if (typeof booster === 'string') {
      expect(booster).toMatch(missing)
      return
    }
    const base = [-1, 0, 1]
    let first: Float32Array = new Float32Array(0)
    const objective = (margins: Float32Array) => {
      first = margins
      return { grad: new Float32Array(margins.length).fill(1), hess: new Float32Array(margins.length).fill(1) }
    }
    booster.train(data, data, { rounds: 1, classes: 3, rate: 0.5, depth: 1, base }, objective, () => undefined)
    const ofRow = booster.classAxis === 1 ? [first[0], first[1], first[2]] : [first[0], first[data.rows], first[2 * data.rows]]
    expect(ofRow).toEqual(base)
  })
})
