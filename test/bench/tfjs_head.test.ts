import * as tf from '@tensorflow/tfjs-core'
import '@tensorflow/tfjs-layers'
import '@tensorflow/tfjs-backend-cpu'
import { beforeAll, describe, expect, it } from 'vitest'
import { waysOf } from '../../bench/tfjs_head.js'

beforeAll(async () => {
  await tf.setBackend('cpu')
})

describe("a detector's head in TensorFlow.js", () => {
  it.each([2, 2.3])('trains alike with the loss by hand and with tfLoss, gamma %d', (gamma) => {
    const ways = waysOf(tf, { anchors: 100, hidden: 8, gamma }, ['wasm', 'js'])
    expect(ways).toHaveLength(5)
    const losses = ways.map((way) => [way.step(), way.step(), way.step()])
    expect(losses[0][2]).toBeLessThan(losses[0][0])
    for (const each of losses) each.forEach((value, step) => expect(value / losses[0][step]).toBeCloseTo(1, 4))
    for (const way of ways) way.dispose()
  })
})
