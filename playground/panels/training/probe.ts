/** What the networks say of one place, against what is true there; and of the whole square. */
import type { SigmoidFocalLoss } from 'focal-loss'
import { percent } from '../../ui/format.js'
import type { TableContent } from '../../ui/table.js'
import { EXTENT, trueProbability } from './data.js'
import { sigmoid } from './measures.js'
import { GRID, type Snapshot } from './protocol.js'
import type { SurfaceContent } from './surface.js'
import { type Column, columns, type Trained } from './variants.js'

interface Looking {
  readonly show: 'score' | 'calibrated'
  readonly x: number
  readonly y: number
  readonly ratio: number
}

export function surfaceOf({ id, of }: Column, { surfaces, shown, measures }: Snapshot, loss: SigmoidFocalLoss, { show, x, y }: Looking): SurfaceContent {
  const logits = surfaces[of]
  const { threshold } = measures[id]
  const level = Math.log(threshold / (1 - threshold))
  const probabilities = show === 'score' ? logits.map(sigmoid) : loss.toProbability(logits)
  const called = logits.reduce((count, logit) => count + (logit >= level ? 1 : 0), 0) / logits.length
  return { probabilities, logits, threshold: level, shown, probe: { x, y }, summary: `${percent(called)} of the square is called positive, at a score of ${threshold.toFixed(2)} or more.` }
}

export function probeTable({ surfaces }: Snapshot, losses: Readonly<Record<Trained, SigmoidFocalLoss>>, { x, y, ratio }: Looking): TableContent {
  const logits = columns.map(({ of }) => surfaces[of].subarray(placeOf(x, y), placeOf(x, y) + 1))
  return {
    caption: `At the circle (${x.toFixed(1)}, ${y.toFixed(1)}) the true probability is ${trueProbability(x, y, ratio).toFixed(3)}`,
    head: ['there', ...columns.map(({ short }) => short)],
    rows: [
      ['Score', ...logits.map(([logit]) => sigmoid(logit).toFixed(3))],
      ['Probability', ...logits.map((logit, i) => losses[columns[i].of].toProbability(logit)[0].toFixed(3))],
    ],
  }
}

/** The nearest place of a surface. */
function placeOf(x: number, y: number): number {
  const along = (value: number) => Math.round(((value + EXTENT) / (2 * EXTENT)) * (GRID - 1))
  return along(-y) * GRID + along(x)
}
