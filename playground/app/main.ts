/** The first script: the library, and the page. In a worker of the training the library alone. */
import * as library from 'focal-loss'
import { kernelName, startKernel } from './kernel.js'
import { buildPage } from './page.js'
import { createStore } from './store.js'

globalThis.playground = { library, createStore, kernelName, panels: {} }
if (typeof document !== 'undefined') void startKernel().then(buildPage)
