/** What other libraries publish about their own focal losses: the cases in test/conformance/peers. */
import apex from '../conformance/peers/apex.json' with { type: 'json' }
import fvcore from '../conformance/peers/fvcore.json' with { type: 'json' }
import keras from '../conformance/peers/keras.json' with { type: 'json' }
import kornia from '../conformance/peers/kornia.json' with { type: 'json' }
import mmdet from '../conformance/peers/mmdet.json' with { type: 'json' }
import mmpretrain from '../conformance/peers/mmpretrain.json' with { type: 'json' }
import monai from '../conformance/peers/monai.json' with { type: 'json' }
import optax from '../conformance/peers/optax.json' with { type: 'json' }
import paddle from '../conformance/peers/paddle.json' with { type: 'json' }
import paper from '../conformance/peers/paper.json' with { type: 'json' }
import tfa from '../conformance/peers/tfa.json' with { type: 'json' }
import { flatten, type Nested } from './losses.js'

/** As the files have it. Which options there are differs from peer to peer. */
interface PeerCase {
  readonly id: string
  readonly source: string
  readonly function: string
  readonly logits: Nested | null
  readonly probs?: Nested
  readonly shape: readonly number[] | null
  readonly targets: Nested | null
  readonly options: PeerOptions
  readonly expected: { readonly loss?: Nested; readonly ratio_ce_over_fl?: readonly number[]; readonly ratio_order?: readonly number[]; readonly ce_over_fl?: number; readonly value?: number }
  readonly tolerance: { readonly rtol?: number; readonly atol?: number }
  readonly reference_f64?: { readonly loss: Nested }
}

interface PeerOptions {
  readonly gamma?: number | null
  readonly alpha?: number | null
  readonly reduction?: string
  readonly sample_weight?: number | readonly number[]
  readonly class_weight?: readonly number[]
  readonly label_smoothing?: number
  readonly normalizer?: number
  readonly use_softmax?: boolean
  readonly include_background?: boolean
  readonly elementwise?: readonly number[]
  readonly weight?: readonly number[]
  readonly avg_factor?: number
  readonly ignore_index?: readonly number[]
  readonly pi?: number
  readonly gamma_pos?: number
  readonly gamma_neg?: number
  readonly clip?: number | null
  readonly beta?: number
  readonly shape?: readonly number[]
}

const files = { apex, fvcore, keras, kornia, mmdet, mmpretrain, monai, optax, paddle, paper, tfa }

export const peerCases = Object.values(files).flat() as unknown as readonly PeerCase[]

/** A case with its numbers in a row. */
export interface Peer {
  readonly id: string
  readonly options: PeerOptions
  readonly shape: readonly number[]
  /** Probabilities become the logits that they are the sigmoid or the softmax of. */
  readonly logits: readonly number[]
  readonly targets: readonly number[]
  readonly expected: PeerCase['expected']
  readonly loss: readonly number[]
  readonly tolerance: PeerCase['tolerance']
  /** The peer's formula in double precision, where the file has it. */
  readonly exact: readonly number[] | null
}

export function peer(id: string): Peer {
  const found = peerCases.find((one) => one.id === id)
  if (found === undefined) throw new Error(`there is no peer case '${id}'`)
  const { logits, probs, shape, targets, options, expected, tolerance, reference_f64: reference } = found
  const toLogit = found.function.startsWith('Categorical') ? Math.log : (p: number) => Math.log(p / (1 - p))
  return {
    id,
    options,
    shape: shape ?? [],
    logits: probs === undefined ? flatten(logits ?? []) : flatten(probs).map(toLogit),
    targets: flatten(targets ?? []),
    expected,
    loss: flatten(expected.loss ?? []),
    tolerance,
    exact: reference === undefined ? null : flatten(reference.loss),
  }
}
