/** The script of this panel: playground/build.ts. */
import '../../app/lazy.js'
import { browserPanel } from './panel.js'

globalThis.playground.panels.browser = browserPanel
