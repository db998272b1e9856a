/** What a binary says of itself: the system, the processor and the C library it is for. */

const processors = {
  elf: { 62: 'x64', 183: 'arm64' },
  machO: { 0x01000007: 'x64', 0x0100000c: 'arm64' },
  pe: { 0x8664: 'x64', 0xaa64: 'arm64' },
}

/**
 * `{ os, cpu, libc, needsGlibc }` of an ELF, Mach-O or PE file of 64 bits; undefined for a file that is none of these.
 * `needsGlibc` is the newest version of glibc that a symbol asks for, as [major, minor].
 */
export function describeBinary(bytes) {
  const magic = bytes.length >= 64 ? bytes.toString('latin1', 0, 4) : ''
  if (magic === '\x7fELF' && bytes[4] === 2) return { os: 'linux', cpu: processors.elf[bytes.readUInt16LE(18)], ...libraryOf(bytes) }
  if (magic === '\xcf\xfa\xed\xfe') return { os: 'darwin', cpu: processors.machO[bytes.readUInt32LE(4)] }
  if (magic.startsWith('MZ')) {
    const header = bytes.readUInt32LE(60)
    if (header + 6 <= bytes.length && bytes.toString('latin1', header, header + 4) === 'PE\0\0') {
      return { os: 'win32', cpu: processors.pe[bytes.readUInt16LE(header + 4)] }
    }
  }
  return undefined
}

/** By the names that the dynamic linker looks for, each between zero bytes. */
function libraryOf(bytes) {
  const text = bytes.toString('latin1')
  const versions = Array.from(text.matchAll(/\0GLIBC_(\d+)\.(\d+)/g), ([, major, minor]) => [Number(major), Number(minor)])
  const [newest] = versions.sort((a, b) => b[0] - a[0] || b[1] - a[1])
  // Alpine names musl after the processor, other distributions libc.so
  if (/\0libc\.(musl-[^\0]*|so)\0/.test(text)) return { libc: 'musl' }
  return { libc: text.includes('\0libc.so.6\0') ? 'glibc' : undefined, needsGlibc: newest }
}
