/** Bad input of every kind is an error that names the argument, what was expected and what came, and touches nothing. */
import * as tf from '@tensorflow/tfjs-core'
import '@tensorflow/tfjs-backend-cpu'
import { describe, expect, it } from 'vitest'
import { getBackend, SoftmaxFocalLoss } from 'focal-loss'
import { tfLoss } from 'focal-loss/tfjs'
import { testedBackends } from '../support/backends.js'
import { badInputs, memory, outputs, x } from '../support/bad_inputs.js'
import { bitsOf } from '../support/losses.js'
import { thrownBy } from '../support/thrown.js'

/** `gamma is -1; expected a finite number >= 0`: the argument, what came, what was expected. */
const sentence =
  /^(?<argument>'?[A-Za-z][\w[\], ]*'?) (is|are|has|overlaps) (?<came>[^;]+); (expected (?<expected>.+)|did you mean '(?<near>\w+)'\?)$/

it('there are enough of them, and no two alike', () => {
  expect(badInputs.length).toBeGreaterThanOrEqual(100)
  expect(new Set(badInputs.map(([title]) => title)).size).toBe(badInputs.length)
})

describe.each(testedBackends())('%s', (backend) => {
  const buffers = [x, memory, ...Object.values(outputs)]

  it.each(badInputs)('%s', async (_, run, type, message) => {
    const before = buffers.map(bitsOf)
    const chosen = getBackend()
    const error = await thrownBy(() => run(backend))
    expect(error).toBeInstanceOf(type === 'TypeError' ? TypeError : RangeError)
    const { name, message: actual } = error as Error
    expect(`${name}: ${actual}`).toBe(`${type}: ${message}`)
    const { argument, came, expected, near } = sentence.exec(actual)?.groups ?? {}
    expect([argument, came, expected ?? near]).not.toContain(undefined)
    expect(buffers.map(bitsOf)).toEqual(before)
    expect(getBackend()).toBe(chosen)
  })

  it('tensors of the wrong shape, type and value', async () => {
    await tf.setBackend('cpu')
    const criterion = tfLoss(tf, new SoftmaxFocalLoss({ backend }))
    const logits = tf.zeros([4, 3])
    const cases: [tf.Tensor, tf.Tensor, string][] = [
      [tf.tensor1d([1, 0]), logits, "RangeError: yTrue has shape [2]; expected yPred's, [4, 3], or that without its last axis for class indices"],
      [tf.tensor1d([0, 1, 2, 0]), tf.ones([4, 3], 'int32'), 'TypeError: yPred has dtype int32; expected float32'],
      [tf.tensor1d([0, 1, 0.5, 0]), logits, 'RangeError: yTrue[2] is 0.5; expected an integer, the index of a class'],
      [tf.tensor1d([0, 1, NaN, 0]), logits, 'RangeError: yTrue[2] is NaN; expected an integer, the index of a class'],
      [tf.tensor1d([0, 1, 3, 0]), logits, 'RangeError: targets[2] is 3; expected a class in 0..2 (classes count from 0; set background or ignoreIndex to allow others)'],
      [tf.fill([4, 3], 2), logits, 'RangeError: targets[0] is 2; expected a number from 0 to 1'],
    ]
    for (const [yTrue, yPred, message] of cases) {
      const tensors = tf.memory().numTensors
      expect(String(await thrownBy(() => criterion(yTrue, yPred)))).toBe(message)
      expect(sentence.test(message.replace(/^\w+: /, ''))).toBe(true)
      expect(tf.memory().numTensors).toBe(tensors)
    }
  })
})
