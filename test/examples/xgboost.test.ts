/** The example's way to the real XGBoost, where it is installed; else the sentence that says what to install. */
import { expect, it } from 'vitest'
import { loadXGBoost } from '../../examples/boosting/xgboost.js'

it('starts from the margins it is given, and moves rows by no more than a Newton step', async () => {
  const xgboost = await loadXGBoost()
  if (typeof xgboost === 'string') {
    expect(xgboost).toMatch(/is not installed: .*(npm install|libxgboost-dev)/)
    return
  }
  const data = { rows: 4, columns: [Float64Array.of(0, 0, 1, 1)] }
  const seen: number[][] = []
  const grad = Float32Array.of(1, 1, -2, -2)
  const objective = (margins: Float32Array) => {
    seen.push([...margins])
    return { grad, hess: new Float32Array(4).fill(1) }
  }
  const longest = xgboost.train(data, data, { rounds: 2, classes: 1, rate: 0.5, depth: 1, base: [-3] }, objective, () => undefined)
  expect(seen).toEqual([[-3, -3, -3, -3], [-3.5, -3.5, -2, -2]])
  expect(longest).toBeCloseTo(2, 6)
})
