/** The backend webgpu in Deno: scripts/test-deno.sh bundles and runs it. Prints the largest errors; throws where one is too large. */
import { backends, init } from 'focal-loss'
import { webgpuReport } from '../../support/webgpu_report.js'

await init('webgpu')
const { golden, family, layouts, extremes, random, probabilities } = await webgpuReport(20)
const all = [...golden, ...family, ...layouts, ...extremes, ...Object.values(probabilities).flat()]
const tooFar = all.filter(({ value, grad, hess, limit }) => !(value < limit && grad < limit && hess < 2e-5)).map(({ title }) => title)
if (golden.length < 90 || tooFar.length > 0 || random.differences.length > 0) throw new Error(['too far from the exact values:', ...tooFar, ...random.differences].join('\n'))
const largest = (of: 'value' | 'grad' | 'hess') => Math.max(...golden.map((each) => each[of])).toExponential(1)
const adapter = backends().find(({ name }) => name === 'webgpu')?.description
console.log(`${adapter}: ${golden.length} golden cases, largest errors ${largest('value')}, ${largest('grad')}, ${largest('hess')}; ${random.count} random problems`)
