/** Standard input that cannot be copied. */
import { expect, it, vi } from 'vitest'
import { withFile } from '../../../src/cli/explain/standard_input.js'

it('without a folder for its copy is one sentence', async () => {
  vi.stubEnv('TMPDIR', '/no/such/folder')
  await expect(withFile('-', 'csv', () => Promise.resolve())).rejects.toThrow(
    /^standard input could not be copied into \/no\/such\/folder \(ENOENT.*\); expected room there, or TMPDIR with another folder$/,
  )
  vi.unstubAllEnvs()
})
