/** How many threads a call takes by default: a container may run on fewer processors than it sees. */
import { readFileSync } from 'node:fs'
import { posix } from 'node:path'

/** The text of a file, or undefined where it cannot be read. */
export type ReadText = (path: string) => string | undefined

const mount = '/sys/fs/cgroup'

/**
 * The threads that the hardware has, or fewer where the CPU quota of the process's control group (v1 or v2), or of one around it,
 * is less: rounded down, and at least 1, as libuv's `uv_available_parallelism` does it.
 */
export function defaultThreads(hardware: number, read: ReadText = readText): number {
  const quotas = [hardware]
  // Each line: the number of a hierarchy, its controllers (none for v2), the path of the group
  for (const line of (read('/proc/self/cgroup') ?? '').split('\n')) {
    const [id, controllers, ...rest] = line.split(':')
    const path = rest.join(':')
    if (id === '0' && controllers === '') quotas.push(...groups(mount, path).map((folder) => quotaV2(read(`${folder}/cpu.max`))))
    else if (controllers?.split(',').includes('cpu')) {
      for (const name of new Set(['cpu', controllers])) {
        quotas.push(...groups(`${mount}/${name}`, path).map((folder) => quotaV1(read(`${folder}/cpu.cfs_quota_us`), read(`${folder}/cpu.cfs_period_us`))))
      }
    }
  }
  return Math.max(1, Math.floor(Math.min(...quotas)))
}

/** The folders of a group and of those around it. In a container the path may be one of the host's, and only the mount exists. */
function groups(root: string, path: string): string[] {
  const folders: string[] = []
  // What lies outside the namespace begins with `..`, and cannot be seen
  let inside = posix.normalize(`/${path}`)
  for (; inside !== '/'; inside = posix.dirname(inside)) folders.push(root + inside)
  return [...folders, root]
}

/** `max 100000` or `150000 100000`: microseconds of processor time in each period. */
function quotaV2(text: string | undefined): number {
  const [quota, period] = (text ?? '').trim().split(' ')
  return ratio(quota, period)
}

/** -1 is no quota. */
function quotaV1(quota: string | undefined, period: string | undefined): number {
  return ratio(quota?.trim(), period?.trim())
}

function ratio(quota: string | undefined, period: string | undefined): number {
  const processors = Number(quota) / Number(period)
  return processors > 0 ? processors : Infinity
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'latin1')
  } catch {
    return undefined
  }
}
