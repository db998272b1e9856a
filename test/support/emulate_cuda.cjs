/** Loaded before the script of a process that shall find the emulated device where the addon for GPUs is looked for. */
const Module = require('node:module')

const emulated = require.resolve('../../build/emulated/focal_loss_cuda.node')
const resolve = Module._resolveFilename

Module._resolveFilename = function (request, ...rest) {
  return request.endsWith('build/Release/focal_loss_cuda.node') ? emulated : resolve.call(this, request, ...rest)
}
