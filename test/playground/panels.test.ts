/** The playground in Chromium: the panels that show the loss, an imbalance and a training. Beside page.test.ts, so that both run at a time. */
import { describe } from 'vitest'
import { builtForTests } from './built.js'
import { curveSuite } from './curve.js'
import { imbalanceSuite } from './imbalance.js'
import { trainingSuite } from './training.js'

const built = builtForTests()

describe('the playground', { timeout: 90_000 }, () => {
  curveSuite(built)
  imbalanceSuite(built)
  trainingSuite(built)
})
