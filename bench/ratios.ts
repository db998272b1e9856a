/** Times as ratios, which vary less between machines and with noise than times do. */
import { titleOf } from './contestants.js'
import type { Row } from './run.js'

/** A peer's time over ours. */
export interface PeerRatio {
  readonly peer: string
  readonly elements: number
  /** The loss the peer was timed on, and ours: of labels per logit as well or, the same problem, of class indices. */
  readonly loss: string
  readonly against: string
  /** By our name. */
  readonly times: Readonly<Record<string, number>>
}

const compared = (['native-1', 'native', 'wasm'] as const).map(titleOf)

export function peerRatios(rows: readonly Row[]): PeerRatio[] {
  return rows
    .filter(({ role }) => role === 'peer')
    .flatMap((peer) =>
      [...new Set([peer.loss, 'sigmoid'])].map((against) => {
        const ours = sameProblem(rows, { ...peer, loss: against }).filter(({ who }) => compared.includes(who))
        const times = ours.map((own) => [own.who, peer.secondsPerCall.median / own.secondsPerCall.median])
        return { peer: peer.who, elements: peer.elements, loss: peer.loss, against, times: Object.fromEntries(times) as Record<string, number> }
      }),
    )
    .filter(({ times }) => Object.keys(times).length > 0)
}

/** Our own times over that of native with one thread: what threads gain, what the other backends cost. */
export interface OwnRatio {
  readonly loss: string
  readonly dtype: string
  readonly elements: number
  readonly times: Readonly<Record<string, number>>
}

export function ownRatios(rows: readonly Row[]): OwnRatio[] {
  const one = titleOf('native-1')
  return rows
    .filter(({ who }) => who === one)
    .map((unit) => {
      const { loss, dtype, elements } = unit
      const others = sameProblem(rows, unit).filter(({ who }) => who !== one)
      const times = others.map((row) => [row.who, row.secondsPerCall.median / unit.secondsPerCall.median])
      return { loss, dtype, elements, times: Object.fromEntries(times) as Record<string, number> }
    })
    .filter(({ times }) => Object.keys(times).length > 0)
}

/** Our rows on a problem. */
function sameProblem(rows: readonly Row[], { loss, dtype, elements }: Pick<Row, 'loss' | 'dtype' | 'elements'>): Row[] {
  return rows.filter((row) => row.role === 'ours' && row.loss === loss && row.dtype === dtype && row.elements === elements)
}

export interface AutoExcess {
  readonly loss: string
  readonly dtype: string
  readonly elements: number
  readonly best: string
  /** How much longer 'auto' takes than the best fixed backend. */
  readonly factor: number
  readonly seconds: number
  readonly within: boolean
}

/** Over the best fixed backend: 10 % plus 0.2 us. */
const ALLOWED = { factor: 1.1, seconds: 0.2e-6 }

/** Whether 'auto' chose well, where it was timed. */
export function autoExcesses(rows: readonly Row[]): AutoExcess[] {
  return rows
    .filter(({ who }) => who === 'auto')
    .flatMap((auto) => {
      const { loss, dtype, elements, secondsPerCall: { median } } = auto
      const fixed = sameProblem(rows, auto).filter(({ who }) => who !== 'auto')
      if (fixed.length === 0) return []
      const best = fixed.reduce((a, b) => (b.secondsPerCall.median < a.secondsPerCall.median ? b : a))
      const least = best.secondsPerCall.median
      const within = median <= ALLOWED.factor * least + ALLOWED.seconds
      return [{ loss, dtype, elements, best: best.who, factor: median / least, seconds: median - least, within }]
    })
}
