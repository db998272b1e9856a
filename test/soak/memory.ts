/** What the process has of memory while the soak goes on, and whether that grows. */
import { readFileSync } from 'node:fs'

export interface Sample {
  /** Seconds since the beginning. */
  readonly time: number
  readonly calls: number
  /** Threads that have been started. */
  readonly begun: number
  /** MiB that are in memory, and those of them that the main thread's heap and its array buffers have. */
  readonly resident: number
  readonly heap: number
  readonly buffers: number
  /** Of the system's, at this time. */
  readonly threads: number
}

const MIB = 2 ** 20

export function sampleAt(time: number, calls: number, begun: number): Sample {
  const { rss, heapUsed, arrayBuffers } = process.memoryUsage()
  const threads = Number(/^Threads:\s+(\d+)/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1])
  return { time, calls, begun, resident: rss / MIB, heap: heapUsed / MIB, buffers: arrayBuffers / MIB, threads }
}

/** The last of some samples, with what is usual among them of what goes up and down. */
export function mediansOf(samples: readonly Sample[]): Sample {
  const medianOf = (key: keyof Sample) => samples.map((sample) => sample[key]).sort((a, b) => a - b)[Math.floor(samples.length / 2)]
  const [resident, heap, buffers, threads] = (['resident', 'heap', 'buffers', 'threads'] as const).map(medianOf)
  return { ...samples[samples.length - 1], resident, heap, buffers, threads }
}
