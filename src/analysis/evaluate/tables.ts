/** Functions of one number that a row of a softmax needs for every class, from tables: within 1e-11 of what Math has, in a third of its time. */

const [EXP_STEPS, LEAST_EXPONENT] = [64, -700]
const exponentials = new Float64Array(-LEAST_EXPONENT * EXP_STEPS + 1)

const REST_STEPS = 256
/** Of 1 - i / REST_STEPS the reciprocal and the logarithm. */
const [reciprocals, logarithms] = [0, 1].map(() => new Float64Array(REST_STEPS + 1))

/** Before the first use of those below. Not in them: V8 keeps an array's address over a loop that has no other in it. */
export function makeTables(): void {
  if (exponentials[0] === 1) return
  for (let i = 0; i < exponentials.length; i++) exponentials[i] = Math.exp(-i / EXP_STEPS)
  for (let i = 0; i <= REST_STEPS; i++) {
    reciprocals[i] = 1 / (1 - i / REST_STEPS)
    logarithms[i] = Math.log1p(-i / REST_STEPS)
  }
}

/** e^t for t <= 0; 0 where that is below 1e-304. */
export function expOf(t: number): number {
  if (t < LEAST_EXPONENT) return 0
  const i = (0.5 - t * EXP_STEPS) | 0
  const r = t + i * (1 / EXP_STEPS)
  return exponentials[i] * (1 + r * (1 + r * (1 / 2 + r * (1 / 6 + r * (1 / 24)))))
}

/** log(1 - p) for 0 <= p <= 1/2; of larger ones no error. */
export function logOfRest(p: number): number {
  const i = (0.5 + p * REST_STEPS) | 0
  const r = (p - i * (1 / REST_STEPS)) * reciprocals[i]
  return logarithms[i] - r * (1 + r * (1 / 2 + r * (1 / 3 + r * (1 / 4 + r * (1 / 5)))))
}

/** Numbers from -END to END are looked up. */
const [END, STEPS] = [48, 128]

/** A smooth function between -48 and 48, by cubics through four of its values; beyond it is called. */
export class SmoothTable {
  readonly #of: (x: number) => number
  /** From one step before -END to one behind END. */
  readonly #values: Float64Array

  constructor(of: (x: number) => number) {
    this.#of = of
    this.#values = new Float64Array(2 * END * STEPS + 3)
    for (let i = 0; i < this.#values.length; i++) this.#values[i] = of((i - 1) / STEPS - END)
  }

  at(x: number): number {
    if (!(x >= -END && x < END)) return this.#of(x)
    const values = this.#values
    const t = (x + END) * STEPS
    const i = t | 0
    return interpolated(values[i], values[i + 1], values[i + 2], values[i + 3], t - i)
  }

  /** The same of many numbers. */
  readAll(from: Float64Array, to: Float64Array): void {
    const values = this.#values
    for (let k = 0; k < from.length; k++) {
      const x = from[k]
      if (!(x >= -END && x < END)) {
        to[k] = this.#of(x)
        continue
      }
      const t = (x + END) * STEPS
      const i = t | 0
      to[k] = interpolated(values[i], values[i + 1], values[i + 2], values[i + 3], t - i)
    }
  }
}

/** By Newton's form, on nodes -1, 0, 1 and 2. */
function interpolated(a: number, b: number, c: number, e: number, d: number): number {
  return b + d * (c - b + (d - 1) * (1 / 2) * (c - 2 * b + a + (d + 1) * (1 / 3) * (e - 3 * c + 3 * b - a)))
}
