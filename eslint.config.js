import js from '@eslint/js'
import { defineConfig } from 'eslint/config'
import tseslint from 'typescript-eslint'

export default defineConfig(
  { ignores: ['**/build/', '**/dist/', '**/*.generated.ts'] },
  js.configs.recommended,
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.strictTypeChecked],
    languageOptions: {
      parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname },
    },
    rules: {
      // Indexing is typed as if it never missed, so this would forbid the checks that notice when it does
      '@typescript-eslint/no-unnecessary-condition': 'off',
      // TensorFlow.js takes the numbers it documents
      '@typescript-eslint/no-unsafe-enum-assignment': 'off',
      // A loss as a type is an interface of its own name
      '@typescript-eslint/no-empty-object-type': ['error', { allowInterfaces: 'with-single-extends' }],
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_' }],
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true, allowBoolean: true }],
    },
  },
  {
    files: ['**/*.{js,mjs}'],
    languageOptions: { globals: Object.fromEntries(['process', 'console', 'URL', 'Buffer', 'setInterval', 'clearInterval', 'setTimeout'].map((name) => [name, 'readonly'])) },
  },
  {
    files: ['test/browser/fixtures/**'],
    languageOptions: {
      globals: Object.fromEntries(
        ['AbortSignal', 'Worker', 'cancelAnimationFrame', 'clearInterval', 'performance', 'postMessage', 'requestAnimationFrame', 'setInterval'].map(
          (name) => [name, 'readonly'],
        ),
      ),
    },
  },
)
