/** Runs the code of docs/webgpu.md in Node.js, by Dawn; see test/support/dawn.ts. Prints how many values were checked. */
import { readFileSync } from 'node:fs'
import * as main from 'focal-loss'
import * as webgpu from 'focal-loss/webgpu'
import { globals } from 'webgpu'
import { blocksOf, runBlocks } from './support/doc_blocks.js'

// Browsers have these everywhere
Object.assign(globalThis, globals)
const page = 'docs/webgpu.md'
const blocks = blocksOf(page, readFileSync(new URL(`../${page}`, import.meta.url), 'utf8'))
process.stdout.write(JSON.stringify(await runBlocks(blocks, { 'focal-loss': main, 'focal-loss/webgpu': webgpu })))
