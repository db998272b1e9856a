/** The calls of the soak, and how their results are told apart: for the thread that makes them, and for the one that knows what is right. */
import { type BackendName, type Logits, type NumericArray, SigmoidFocalLoss, SoftmaxFocalLoss } from 'focal-loss'

const CLASSES = 20

/** From what one block takes to what threads and workers share. */
export const sizes = [960, 40_000, 1_000_000] as const
export const lossNames = ['sigmoid', 'softmax'] as const
export const backendNames = ['native', 'wasm', 'js'] as const satisfies readonly BackendName[]

/** Plain JavaScript would take most of the time of all. */
export const sizesOf = (backend: BackendName) => (backend === 'js' ? sizes.slice(0, 2) : sizes)

/** Logits, and the targets of both losses, in memory that all threads share: parts of them are the inputs of every call. */
export interface Inputs {
  readonly logits: Float32Array
  readonly labels: Uint8Array
  readonly classes: Int32Array
}

export function makeInputs(): Inputs {
  const most = Math.max(...sizes)
  const logits = new Float32Array(new SharedArrayBuffer(4 * most))
  const labels = new Uint8Array(new SharedArrayBuffer(most))
  const classes = new Int32Array(new SharedArrayBuffer((4 * most) / CLASSES))
  for (let k = 0; k < most; k++) logits[k] = (k % 4001) / 400 - 5
  for (let k = 0; k < most; k++) labels[k] = Number(k % 9 === 0)
  for (let row = 0; row < classes.length; row++) classes[row] = (7 * row) % CLASSES
  return { logits, labels, classes }
}

export interface Call {
  readonly loss: SigmoidFocalLoss | SoftmaxFocalLoss
  readonly logits: Float32Array
  readonly targets: Uint8Array | Int32Array
  readonly shape: readonly [number, number]
}

/** One call: in shared memory, or with `own` in arrays of its own. */
export function callOf(name: (typeof lossNames)[number], size: number, backend: BackendName, { logits, labels, classes }: Inputs, own: boolean): Call {
  const rows = size / CLASSES
  const mine = <A extends NumericArray>(array: A) => (own ? (array.slice() as A) : array)
  const loss = name === 'sigmoid' ? new SigmoidFocalLoss({ backend }) : new SoftmaxFocalLoss({ backend })
  const targets = name === 'sigmoid' ? mine(labels.subarray(0, size)) : mine(classes.subarray(0, rows))
  return { loss, logits: mine(logits.subarray(0, size)), targets, shape: [rows, CLASSES] }
}

export const nameOf = (loss: string, size: number, backend: BackendName) => `${loss} of ${size} on ${backend}`

/** The loss, and a sum of the gradient's bits that depends on their places. */
export function fingerprint({ value, grad }: { readonly value: unknown; readonly grad: Logits }): string {
  const bits = new Uint32Array(grad.buffer, grad.byteOffset, grad.length)
  let hash = 0x811c9dc5
  for (const each of bits) hash = Math.imul(hash ^ each, 0x01000193)
  return `${String(value)} ${hash >>> 0}`
}
