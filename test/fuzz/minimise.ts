/** The smallest file that is left of one when its parts are taken out as long as it still does what it did. */

/** How often is tried. */
const TRIES = 100

/** Takes out parts from the byte `from` on: halves first, single bytes last. */
export async function minimised(bytes: Uint8Array, from: number, does: (bytes: Uint8Array) => Promise<boolean>): Promise<Uint8Array> {
  let [least, tries] = [bytes, 0]
  for (let part = Math.ceil((bytes.length - from) / 2); part >= 1; part = part === 1 ? 0 : Math.ceil(part / 2)) {
    for (let at = least.length - part; at >= from && tries < TRIES; at -= part) {
      const shorter = Buffer.concat([least.subarray(0, at), least.subarray(at + part)])
      tries++
      if (await does(shorter)) least = shorter
    }
  }
  return least
}
