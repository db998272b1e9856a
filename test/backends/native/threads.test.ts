/** The default number of threads under CPU quotas, on trees of files as containers have them. */
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { defaultThreads } from '../../../src/backends/native/threads.js'

const on = (files: Readonly<Record<string, string>>, hardware = 8) => defaultThreads(hardware, (path) => files[path])
const v1 = (folder: string, quota: string, period = '100000') => ({
  [`/sys/fs/cgroup/${folder}/cpu.cfs_quota_us`]: `${quota}\n`,
  [`/sys/fs/cgroup/${folder}/cpu.cfs_period_us`]: `${period}\n`,
})

describe('without a quota, all of the hardware', () => {
  it.each<[string, Record<string, string>]>([
    ['no control groups', {}],
    ['v2 without a limit', { '/proc/self/cgroup': '0::/\n', '/sys/fs/cgroup/cpu.max': 'max 100000\n' }],
    ['v2 without the controller', { '/proc/self/cgroup': '0::/user.slice\n' }],
    ['v1 without a limit', { '/proc/self/cgroup': '4:cpu,cpuacct:/\n', ...v1('cpu', '-1') }],
    ['a quota of other processes', { '/proc/self/cgroup': '0::/mine\n', '/sys/fs/cgroup/theirs/cpu.max': '100000 100000\n' }],
    ['a quota above it', { '/proc/self/cgroup': '0::/\n', '/sys/fs/cgroup/cpu.max': '1600000 100000\n' }],
    ['files of something else', { '/proc/self/cgroup': 'none\n::\n0::/\n', '/sys/fs/cgroup/cpu.max': 'all of it\n' }],
  ])('%s', (_, files) => {
    expect(on(files)).toBe(8)
  })
})

describe('a quota bounds it', () => {
  it.each<[string, Record<string, string>, number]>([
    ['v2, in a container', { '/proc/self/cgroup': '0::/\n', '/sys/fs/cgroup/cpu.max': '200000 100000\n' }, 2],
    ['v2, rounded down', { '/proc/self/cgroup': '0::/\n', '/sys/fs/cgroup/cpu.max': '390000 100000\n' }, 3],
    ['v2, less than one processor', { '/proc/self/cgroup': '0::/\n', '/sys/fs/cgroup/cpu.max': '50000 100000\n' }, 1],
    ['v2, of a group of its own', { '/proc/self/cgroup': '0::/a/b\n', '/sys/fs/cgroup/a/b/cpu.max': '300000 100000\n' }, 3],
    [
      'v2, of a group around it',
      { '/proc/self/cgroup': '0::/a/b\n', '/sys/fs/cgroup/a/b/cpu.max': 'max 100000\n', '/sys/fs/cgroup/a/cpu.max': '200000 100000\n' },
      2,
    ],
    ["v2, with the host's path and the container's mount", { '/proc/self/cgroup': '0::/../../x\n', '/sys/fs/cgroup/cpu.max': '200000 100000\n' }, 2],
    ['v1', { '/proc/self/cgroup': '3:memory:/\n2:cpu,cpuacct:/\n', ...v1('cpu', '250000') }, 2],
    ['v1, under the name of all its controllers', { '/proc/self/cgroup': '2:cpu,cpuacct:/docker/1f\n', ...v1('cpu,cpuacct/docker/1f', '100000', '50000') }, 2],
    ["v1, with the host's path and the container's mount", { '/proc/self/cgroup': '2:cpuacct,cpu:/docker/1f\n', ...v1('cpu', '400000') }, 4],
    ['v1 beside v2', { '/proc/self/cgroup': '1:cpu:/\n0::/\n', ...v1('cpu', '300000') }, 3],
    ['a path with a colon', { '/proc/self/cgroup': '0::/a:b\n', '/sys/fs/cgroup/a:b/cpu.max': '100000 100000\n' }, 1],
  ])('%s', (_, files, threads) => {
    expect(on(files)).toBe(threads)
  })
})

it('reads the files of this machine', () => {
  const read = (path: string) => {
    try {
      return readFileSync(path, 'utf8')
    } catch {
      return undefined
    }
  }
  expect(defaultThreads(1024)).toBe(defaultThreads(1024, read))
})
