/** The playground in Firefox, which has no driver here: a page around it uses it, and posts what is wrong. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { expect, it } from 'vitest'
import { buildPlayground } from '../../playground/build.js'
import { browsers } from '../engines/browsers.js'

it('runs in Firefox at four widths: every panel, without errors, and accessible', { timeout: 300_000 }, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'focal-loss-firefox-'))
  try {
    await buildPlayground(join(folder, 'page'))
    const entry = fileURLToPath(new URL('./firefox_check.ts', import.meta.url))
    await build({ entryPoints: [entry], bundle: true, format: 'iife', outfile: join(folder, 'check.js'), logLevel: 'error' })
    writeFileSync(join(folder, 'index.html'), '<!doctype html><meta charset="utf-8"><title>check</title><body><script src="check.js"></script>')
    const firefox = browsers.find(({ name }) => name === 'Firefox ESR')
    if (firefox === undefined) throw new Error('Firefox is not among the browsers')
    expect(await firefox.open(firefox.find(), folder, 0)).toEqual({ widths: [360, 768, 1280, 1920], wrong: [] })
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})
