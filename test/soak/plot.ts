/** The memory of a soak over time: of the process, and of the main thread's heap and array buffers. */
import { parse, View } from 'vega'
import { compile } from 'vega-lite'
import type { Sample } from './memory.js'

/** As SVG. */
export async function plotOf(samples: readonly Sample[]): Promise<string> {
  const values = samples.flatMap(({ time, resident, heap, buffers }) => Object.entries({ resident, heap, buffers }).map(([what, mebibytes]) => ({ time, what, mebibytes })))
  const { spec } = compile({
    width: 620,
    height: 300,
    background: '#ffffff',
    title: 'Memory while threads call, are aborted and ended',
    data: { values },
    mark: { type: 'line', strokeWidth: 1 },
    encoding: {
      x: { field: 'time', title: 'seconds', type: 'quantitative' },
      y: { field: 'mebibytes', title: 'MiB', type: 'quantitative' },
      color: { field: 'what', title: null, type: 'nominal', sort: ['resident', 'heap', 'buffers'] },
    },
  })
  const view = new View(parse(spec), { renderer: 'none' })
  const svg = await view.toSVG()
  view.finalize()
  return svg
}
