/** A worker from the text of the scripts that run: nothing more is loaded, and it starts from `file://` as well. */
declare global {
  /** The first script and the training's, as playground/build.ts leaves them. */
  var playgroundPrograms: readonly (() => void)[]
}

export function ownWorker(): Worker {
  const text = new Blob(globalThis.playgroundPrograms.map((program) => `(${String(program)})();\n`), { type: 'text/javascript' })
  const address = URL.createObjectURL(text)
  const worker = new Worker(address)
  URL.revokeObjectURL(address)
  return worker
}
