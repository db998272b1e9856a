/** The script of this panel: playground/build.ts. */
import '../../app/lazy.js'
import { numbersPanel } from './panel.js'

globalThis.playground.panels.numbers = numbersPanel
