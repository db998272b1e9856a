import { compile, type TopLevelSpec } from 'vega-lite'
import { parse, View } from 'vega'
import type { ExplainedLoss } from 'focal-loss'
import type { Result } from './results.js'

/** Distinguishable with the usual colour blindnesses (Okabe and Ito). */
export const PALETTE = ['#7a7a7a', '#0072b2', '#009e73', '#d55e00', '#cc79a7']

/** With axes and legend, so that plots beside each other are of one size. */
const SIZE = { width: 500, height: 460, autosize: { type: 'fit', contains: 'padding' } } as const
export const CONFIG = {
  background: '#ffffff',
  font: 'system-ui, sans-serif',
  axis: { labelFontSize: 12, titleFontSize: 13, titleFontWeight: 'normal', gridColor: '#ececec', domainColor: '#888', tickColor: '#888' },
  legend: { labelFontSize: 12, titleFontSize: 12, symbolStrokeWidth: 3, labelLimit: 0 },
  view: { stroke: 'transparent' },
} as const

export function precisionRecallPlot(results: readonly Result[]): Promise<string> {
  const values = results.flatMap(({ variant, curve }) =>
    curve.map(({ precision, recall }) => ({ variant: variant.name, precision, recall })),
  )
  return toSvg({
    ...SIZE,
    config: CONFIG,
    data: { values },
    mark: { type: 'line', interpolate: 'step-before', strokeWidth: 1.8 },
    encoding: {
      x: { field: 'recall', type: 'quantitative', title: 'recall', scale: { domain: [0, 1] } },
      y: { field: 'precision', type: 'quantitative', title: 'precision', scale: { domain: [0, 1] } },
      order: { field: 'recall', type: 'quantitative' },
      color: variantColour(results),
    },
  })
}

export function trainingLossPlot(results: readonly Result[]): Promise<string> {
  const values = results.flatMap(({ variant, training }) =>
    training.epochLosses.map((loss, index) => ({ variant: variant.name, epoch: index + 1, loss })),
  )
  const epochs = results[0]?.training.epochLosses.length ?? 1
  return toSvg({
    ...SIZE,
    config: CONFIG,
    data: { values },
    mark: { type: 'line', strokeWidth: 1.8 },
    encoding: {
      x: { field: 'epoch', type: 'quantitative', title: 'epoch', scale: { domain: [1, Math.max(2, epochs)] }, axis: { tickMinStep: 1 } },
      y: { field: 'loss', type: 'quantitative', title: 'mean training loss (log scale)', scale: { type: 'log' } },
      color: variantColour(results),
    },
  })
}

/** Figure 4 of the paper: the cells sorted by their loss, and how the summed loss builds up over them, for several gammas. */
export function cumulativeLossPlot(losses: readonly ExplainedLoss[], kind: 'platelet' | 'background'): Promise<string> {
  const side = kind === 'platelet' ? 'positives' : 'negatives'
  return toSvg({
    ...SIZE,
    height: 380,
    config: CONFIG,
    data: { values: losses.flatMap(({ gamma, curves }) => curves[side].map(({ examples, loss }) => ({ gamma, cells: examples, loss }))) },
    mark: { type: 'line', strokeWidth: 1.8 },
    encoding: {
      x: { field: 'cells', type: 'quantitative', title: `share of the ${kind} cells, smallest loss first`, scale: { domain: [0, 1] } },
      y: { field: 'loss', type: 'quantitative', title: 'share of the summed loss', scale: { domain: [0, 1] } },
      color: { field: 'gamma', type: 'ordinal', title: 'gamma', scale: { domain: losses.map(({ gamma }) => gamma ?? null), scheme: 'viridis' } },
    },
  })
}

function variantColour(results: readonly Result[]) {
  const domain = results.map(({ variant }) => variant.name)
  return { field: 'variant', type: 'nominal', title: null, scale: { domain, range: PALETTE }, legend: { orient: 'bottom', columns: 1 } } as const
}

export async function toSvg(spec: TopLevelSpec): Promise<string> {
  const view = new View(parse(compile(spec).spec), { renderer: 'none' })
  const svg = await view.toSVG()
  view.finalize()
  return svg
}
