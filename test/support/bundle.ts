/** How the suites' helpers are bundled for a page. */
import type { Plugin } from 'esbuild'

/** Without what is for Node.js alone, which pages do not call. */
export const withoutNode: Plugin = {
  name: 'without-node',
  setup(bundle) {
    bundle.onResolve({ filter: /^node:crypto$/ }, ({ path }) => ({ path, namespace: 'none' }))
    bundle.onLoad({ filter: /.*/, namespace: 'none' }, () => ({ contents: 'export const createHash = undefined' }))
  },
}
