/** The networks' scores at one point, beside the true probability; and over the whole square. */
import type { SigmoidFocalLoss } from 'focal-loss'
import { percent } from '../../ui/format.js'
import type { TableContent } from '../../ui/table.js'
import { EXTENT, trueProbability } from './data.js'
import { type DataName, dataSets } from './data_sets.js'
import { type Cut, sigmoid } from './measures.js'
import { GRID, type Snapshot } from './protocol.js'
import type { SurfaceContent } from './surface.js'
import { type OfEach, type Variant, variants } from './variants.js'

interface Looking {
  readonly data: DataName
  readonly cut: Cut
  readonly x: number
  readonly y: number
  readonly ratio: number
}

export function surfaceOf({ id }: Variant, { surfaces, shown, measured }: Snapshot, loss: SigmoidFocalLoss, { cut, x, y }: Looking): SurfaceContent {
  const logits = surfaces[id]
  const { threshold } = measured[id].decided[cut]
  const probabilities = cut === 'recalibrated' ? loss.toProbability(logits) : logits.map(sigmoid)
  const called = logits.reduce((count, logit) => count + (logit >= threshold ? 1 : 0), 0) / logits.length
  return { probabilities, logits, threshold, shown, probe: { x, y }, summary: `${percent(called)} of the square is called positive, at a score of ${sigmoid(threshold).toFixed(2)} or more.` }
}

export function probeTable({ surfaces }: Snapshot, losses: OfEach<SigmoidFocalLoss>, { data, x, y, ratio }: Looking): TableContent {
  const logits = variants.map(({ id }) => surfaces[id].subarray(placeOf(x, y), placeOf(x, y) + 1))
  return {
    caption: `At the circle (${x.toFixed(1)}, ${y.toFixed(1)}) the true probability is ${trueProbability(x, y, dataSets[data], ratio).toFixed(3)}`,
    head: ['there', ...variants.map(({ short }) => short)],
    rows: [
      ['Score', ...logits.map(([logit]) => sigmoid(logit).toFixed(3))],
      ['Recalibrated', ...logits.map((logit, i) => losses[variants[i].id].toProbability(logit)[0].toFixed(3))],
    ],
  }
}

/** The nearest place of a surface. */
function placeOf(x: number, y: number): number {
  const along = (value: number) => Math.round(((value + EXTENT) / (2 * EXTENT)) * (GRID - 1))
  return along(-y) * GRID + along(x)
}
