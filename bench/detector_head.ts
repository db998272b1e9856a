/**
 * A training step of a detector's head in TensorFlow.js on WebAssembly, 80 classes: `npx tsx bench/detector_head.ts [anchors] [rounds]`,
 * by default 20,000 and 9. Medians in milliseconds of rounds in turn; how much of a step the composition by hand takes over each.
 */
import { createRequire } from 'node:module'
import * as tf from '@tensorflow/tfjs-core'
import '@tensorflow/tfjs-backend-wasm'
import { useThreads } from './contestants.js'
import { waysOf } from './tfjs_head.js'

const [anchors = 20_000, rounds = 9] = process.argv.slice(2).map(Number)

tf.env().set('PROD', true)
createRequire(import.meta.url)('@tensorflow/tfjs-core/dist/register_all_gradients')
await tf.setBackend('wasm')
useThreads(1)

for (const [hidden, gamma] of [[64, 2], [256, 2], [64, 2.3]]) {
  const ways = waysOf(tf, { anchors, hidden, gamma }, ['native', 'wasm'])
  const times = ways.map((): number[] => [])
  // The first round makes the optimizer's state
  for (let round = 0; round <= rounds; round++) {
    ways.forEach((way, i) => {
      const start = performance.now()
      way.step()
      if (round > 0) times[i].push(performance.now() - start)
    })
  }
  const medians = times.map((each) => each.toSorted((a, b) => a - b)[each.length >> 1])
  console.log(`\n64-${hidden}-80, gamma ${gamma}, ${anchors} anchors`)
  ways.forEach(({ name }, i) => console.log(`${name.padEnd(32)}${medians[i].toFixed(0).padStart(6)} ms  ${(medians[0] / medians[i]).toFixed(2)} times as fast`))
  for (const way of ways) way.dispose()
}
