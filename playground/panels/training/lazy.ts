/** The script of this panel, and of the worker that trains for it: playground/build.ts. */
import '../../app/lazy.js'
import { trainingPanel } from './panel.js'
import { serveTraining } from './worker.js'

if (typeof document === 'undefined') serveTraining(globalThis)
else globalThis.playground.panels.training = trainingPanel
