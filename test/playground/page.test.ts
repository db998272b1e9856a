/** The playground in Chromium: the page as a whole, what guides a reader, and the panels that take numbers or measure. */
import { describe } from 'vitest'
import { browserSuite } from './browser.js'
import { builtForTests } from './built.js'
import { guidanceSuite } from './guidance.js'
import { numbersSuite } from './numbers.js'
import { pageSuite } from './page.js'

const built = builtForTests()

describe('the playground', { timeout: 90_000 }, () => {
  guidanceSuite(built)
  numbersSuite(built)
  browserSuite(built)
  pageSuite(built)
})
