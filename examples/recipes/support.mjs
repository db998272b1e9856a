// What the recipes share: random numbers that are the same in every run, and a linear model in place of yours
export function randomNumbers(seed) {
  let state = seed
  const uniform = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state / 2 ** 32
  }
  const normal = () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform())
  return { uniform, normal }
}

export function linearModel(inputs, outputs, bias) {
  const weights = new Float64Array(inputs * outputs)
  const biases = new Float64Array(outputs).fill(bias)
  return {
    /** Logits, `outputs` for each sample of `inputs` features. */
    forward(features) {
      const logits = new Float32Array((features.length / inputs) * outputs)
      for (let i = 0; i < logits.length; i++) {
        const sample = Math.floor(i / outputs)
        logits[i] = biases[i % outputs]
        for (let k = 0; k < inputs; k++) logits[i] += features[sample * inputs + k] * weights[k * outputs + (i % outputs)]
      }
      return logits
    },
    /** One step of gradient descent, from the gradient with respect to the logits. */
    backward(features, grad, rate) {
      for (let i = 0; i < grad.length; i++) {
        const sample = Math.floor(i / outputs)
        biases[i % outputs] -= rate * grad[i]
        for (let k = 0; k < inputs; k++) weights[k * outputs + (i % outputs)] -= rate * grad[i] * features[sample * inputs + k]
      }
    },
  }
}
