/** A worker from the text of the script that runs: nothing more is loaded, and it starts from `file://` as well. */
declare global {
  /** The first script, as playground/build.ts leaves it. */
  var playgroundProgram: () => void
}

export function ownWorker(): Worker {
  const text = new Blob([`(${String(globalThis.playgroundProgram)})()`], { type: 'text/javascript' })
  const address = URL.createObjectURL(text)
  const worker = new Worker(address)
  URL.revokeObjectURL(address)
  return worker
}
