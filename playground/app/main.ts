/** The first script: the page, or in a worker the training. */
import * as library from 'focal-loss'
import { kernelName, startKernel } from './kernel.js'
import { buildPage } from './page.js'
import { createStore } from './store.js'

async function start(): Promise<void> {
  await startKernel()
  globalThis.playground = { library, createStore, kernelName, panels: {} }
  buildPage()
}

void start()
