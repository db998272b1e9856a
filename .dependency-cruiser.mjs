/**
 * The rules of `npm run lint:imports`. An import of a type counts like any other: what a file must know of another, a reader must too.
 *
 * `src/` is rooms on floors. A file imports from its own room and from rooms on lower floors; `test/imports.test.ts` plants what breaks the rules,
 * and sees them fail.
 */
import { readFileSync } from 'node:fs'

/** From the ground up. A room is a folder, or a file by its name. */
const floors = JSON.parse(readFileSync(new URL('scripts/floors.json', import.meta.url), 'utf8'))

/** Folders of `src/backends` that are no backend, but what several stand on. */
const shared = ['^src/backends/addon/', '^src/backends/shaders/']

const anyOf = (rooms) => rooms.map((room) => (room.endsWith('.ts') ? `^src/${room.replace('.', '\\.')}$` : `^src/${room}/`))

const rules = floors.flatMap((floor, below) =>
  floor.map((room) => ({
    name: `floors: ${room}`,
    comment: `src/${room} imports from itself and from lower floors: ${floors.slice(0, below).flat().join(', ') || 'there are none'}`,
    severity: 'error',
    from: { path: anyOf([room]) },
    to: { path: '^src/', pathNot: anyOf([room, ...floors.slice(0, below).flat()]) },
  })),
)

export default {
  forbidden: [
    {
      name: 'circle',
      comment: 'Files import each other in a circle: put what they share in the lowest of them, or below',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    ...rules,
    {
      name: 'no room',
      comment: 'The file lies in no room of scripts/floors.json',
      severity: 'error',
      from: { path: '^src/', pathNot: anyOf(floors.flat()) },
      to: {},
    },
    {
      name: 'backends apart',
      comment: 'A backend knows nothing of another: what several need lies beside them in src/backends, or in a folder of `shared`',
      severity: 'error',
      from: { path: '^src/backends/([^/]+)/' },
      to: { path: '^src/backends/[^/]+/', pathNot: ['^src/backends/$1/', ...shared] },
    },
    {
      name: 'not found',
      comment: 'An import that leads nowhere is followed nowhere, so nothing could be said of it',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true, path: ['^\\.', '^focal-loss'] },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
  },
}
