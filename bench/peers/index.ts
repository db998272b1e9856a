/** The peers by name. Each is loaded only when it is wanted: their packages are large. */
import type { PeerLoader } from './peer.js'
import { plainJs } from './plain_js.js'

export const peerNames = ['plain-js', 'tfjs', 'onnx', 'torchvision'] as const
export type PeerName = (typeof peerNames)[number]

export const peerLoaders: Record<PeerName, PeerLoader> = {
  'plain-js': () => Promise.resolve([plainJs]),
  tfjs: async () => (await import('./tfjs.js')).tfjsPeers(),
  onnx: async () => (await import('./onnx.js')).onnxPeers(),
  torchvision: async () => (await import('./torchvision.js')).torchvisionPeers(),
}
