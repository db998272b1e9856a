/** The first script: the page, and in a worker the training. */
import * as library from 'focal-loss'
import { serveTraining } from '../panels/training/worker.js'
import { kernelName, startKernel } from './kernel.js'
import { buildPage } from './page.js'
import { createStore } from './store.js'

async function start(): Promise<void> {
  await startKernel()
  globalThis.playground = { library, createStore, kernelName, panels: {} }
  buildPage()
}

if (typeof document === 'undefined') serveTraining(globalThis)
else void start()
