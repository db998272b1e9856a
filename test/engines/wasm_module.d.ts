/** What runtimes of the edge give for an import of the file. */
declare module 'focal-loss/focal-loss.wasm' {
  const module: WebAssembly.Module
  export default module
}
