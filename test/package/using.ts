/** What scripts/check-declarations.mjs compiles with the compilers that know `using`. */
import { DeviceArray, pin } from 'focal-loss'

export function sumOnGpu(): number {
  using pinned = pin(new Float32Array(2))
  using array = DeviceArray.from(pinned.array)
  return array.length
}
