/**
 * The size of the terms that a soft label's derivatives are made of, from the definitions in double precision. A sum
 * that passes through zero cannot be held to its own relative error, only to theirs.
 */

/** The options that a term depends on; weights are those of a positive and of a negative. */
export interface SoftElement {
  readonly gamma: number
  readonly softTargets: 'linear' | 'mixture'
  readonly positive: number
  readonly negative: number
}

const sigmoid = (x: number) => (x >= 0 ? 1 / (1 + Math.exp(-x)) : Math.exp(x) / (1 + Math.exp(x)))
const softplus = (x: number) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)))

/** For one sigmoid logit `x` with target `y` (after smoothing). */
export function sigmoidTerms(x: number, y: number, element: SoftElement): { value: number; grad: number; hess: number } {
  if (element.softTargets === 'mixture' || y === 0 || y === 1) {
    const no = hardTerms(x, (1 - y) * element.negative, element.gamma)
    const yes = hardTerms(-x, y * element.positive, element.gamma)
    return { value: no.value + yes.value, grad: no.grad + yes.grad, hess: no.hess + yes.hess }
  }
  const g = element.gamma
  const [s, c] = [sigmoid(x), sigmoid(-x)]
  const q = y * c + (1 - y) * s
  const crossEntropy = y * softplus(-x) + (1 - y) * softplus(x)
  const r = (s * c) / q
  const modulated = (y * element.positive + (1 - y) * element.negative) * Math.pow(q, g)
  const slope = (1 - y) * s + y * c
  return {
    value: modulated * crossEntropy,
    grad: modulated * (g * r * crossEntropy + slope),
    hess: modulated * (crossEntropy * (g * (g + 1) * r * r + g * r) + 2 * g * r * slope + s * c),
  }
}

/** Target 0; its value and gradient have one sign, its second derivative may cancel. */
function hardTerms(x: number, weight: number, gamma: number): { value: number; grad: number; hess: number } {
  const [s, c] = [sigmoid(x), sigmoid(-x)]
  const loss = softplus(x)
  const modulated = weight * Math.pow(s, gamma)
  return {
    value: modulated * loss,
    grad: modulated * (gamma * c * loss + s),
    hess: modulated * c * (gamma * loss * (gamma * c + s) + (2 * gamma + 1) * s),
  }
}

/** For one softmax row; `amounts` are the classes' weights times their targets (after smoothing). */
export function softmaxTerms(row: readonly number[], amounts: readonly number[], gamma: number): number[] {
  const top = Math.max(...row)
  const e = row.map((x) => Math.exp(x - top))
  const others = e.map((_, c) => e.reduce((sum, each, other) => (other === c ? sum : sum + each), 0))
  const q = e.map((each, c) => others[c] / (others[c] + each))
  const p = e.map((each, c) => each / (others[c] + each))
  const pulls = amounts.map((amount, c) => {
    const nll = Math.log1p(others[c] / e[c])
    return amount * Math.pow(q[c], gamma) * (gamma * p[c] * (q[c] > 0 ? nll / q[c] : 1) + 1)
  })
  const whole = pulls.reduce((a, b) => a + b, 0)
  return pulls.map((pull, j) => p[j] * (whole - pull) + q[j] * pull)
}
