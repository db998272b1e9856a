import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

const at = (path: string) => fileURLToPath(new URL(path, import.meta.url))

export default defineConfig({
  resolve: {
    // The package's own names mean its sources, as in tsconfig.json
    alias: [
      { find: /^focal-loss$/, replacement: at('src/node.ts') },
      { find: /^focal-loss\/wasm$/, replacement: at('src/index.ts') },
      { find: /^focal-loss\/parallel$/, replacement: at('src/adapters/parallel/index.ts') },
      { find: /^focal-loss\/tcp$/, replacement: at('src/adapters/parallel/tcp/index.ts') },
      { find: /^focal-loss\/tfjs$/, replacement: at('src/adapters/tfjs/index.ts') },
      { find: /^focal-loss\/jax$/, replacement: at('src/adapters/jax.ts') },
      { find: /^focal-loss\/webgpu$/, replacement: at('src/adapters/webgpu/index.ts') },
      { find: /^focal-loss\/duckdb$/, replacement: at('src/adapters/duckdb/index.ts') },
    ],
  },
  test: {
    // A busy machine is no failure
    testTimeout: 30_000,
    // Much of the time is waiting for browsers and other processes
    maxWorkers: Math.max(2, availableParallelism() - 1),
    include: ['test/**/*.test.ts'],
    // Jobs of MPI need an MPI: npm run test:mpi brings it
    exclude: process.env.FOCAL_LOSS_TEST_MPI === undefined ? ['test/mpi/**'] : [],
  },
})
