import { escape, figure, renderPage, renderTable } from '../cell-detector/html.js'
import { CONFIG, toSvg } from '../cell-detector/plots.js'
import type { Comparison } from './compare.js'
import type { Summary } from './summary.js'

/** `settings`: each with its comparisons, one for each seed. */
export async function renderReport(settings: readonly { readonly summary: Summary; readonly comparisons: readonly Comparison[] }[], facts: string): Promise<string> {
  const sections = settings.map(
    async ({ summary: { name, best, table, verdict }, comparisons }) => `<h2>${escape(name)}</h2>
${renderTable(table)}
<p>${escape(verdict)} The accuracy of the true posterior, the best possible, is ${(100 * best).toFixed(1)} %.</p>
${figure(await reliabilityPlot(comparisons), 'Reliability: accuracy against confidence. On the grey line a network is calibrated; below it, over-confident.')}`,
  )
  return renderPage(
    'Calibration of an over-trained network',
    `<p class="lead">${escape(facts)} Ranges are 95 % confidence intervals over seeds; differences are paired. The temperature is fitted to the logits:
above 1 the network is over-confident.</p>
${(await Promise.all(sections)).join('\n')}`,
  )
}

/** One point of a reliability diagram. */
export interface ReliabilityPoint {
  readonly score: number
  readonly rate: number
  readonly count: number
}

/** The bins of one variant, all seeds together; empty ones are left out. */
export function pooledReliability(comparisons: readonly Comparison[], variant: number): ReliabilityPoint[] {
  const perSeed = comparisons.map(({ scores }) => scores[variant].reliability)
  return perSeed[0].flatMap((_, bin) => {
    const bins = perSeed.map((of) => of[bin])
    const count = bins.reduce((sum, each) => sum + each.count, 0)
    const mean = (value: (each: (typeof bins)[number]) => number | null) => bins.reduce((sum, each) => sum + each.count * (value(each) ?? 0), 0) / count
    return count === 0 ? [] : [{ score: mean(({ meanScore }) => meanScore), rate: mean(({ rate }) => rate), count }]
  })
}

function reliabilityPlot(comparisons: readonly Comparison[]): Promise<string> {
  const names = comparisons[0].scores.map(({ name }) => name)
  const values = names.flatMap((variant, v) => pooledReliability(comparisons, v).map((point) => ({ variant, ...point })))
  const axis = (field: 'score' | 'rate', title: string) => ({ field, type: 'quantitative' as const, title, scale: { domain: [0, 1] } })
  return toSvg({
    config: CONFIG,
    data: { values },
    facet: { field: 'variant', type: 'nominal', title: null, sort: names },
    columns: 4,
    spec: {
      width: 190,
      height: 190,
      layer: [
        { data: { values: [{ score: 0, rate: 0 }, { score: 1, rate: 1 }] }, mark: { type: 'line', color: '#bbb', strokeDash: [4, 3] }, encoding: { x: axis('score', 'confidence'), y: axis('rate', 'accuracy') } },
        { mark: { type: 'line', color: '#0072b2', strokeWidth: 1.8, point: { color: '#0072b2', size: 22 } }, encoding: { x: axis('score', 'confidence'), y: axis('rate', 'accuracy') } },
      ],
    },
  })
}
