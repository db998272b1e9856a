/**
 * Data-parallel training on this machine, and on paper: `npm run bench:parallel`. Measures all-reduces against a C program with the same
 * MPI and the detector's training on one and two ranks, in turns, the least of all; then prints what the model makes of it.
 */
import { execFileSync } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { Command } from 'commander'
import { flagsFor } from '../../examples/data-parallel/launch.js'
import { networkOf, type Network, simulateStep, stepTime, type Work } from './model.js'

const { rounds, suffix, network: others, measure } = new Command('bench:parallel')
  .description('Data-parallel training on this machine, and on paper')
  .option('--rounds <n>', 'turns of each', Number, 5)
  .option('--suffix <text>', 'of mpirun and mpicc: .mpich or .openmpi where both are installed', '')
  .option('--network <name=us,ms>', "another network: an all-reduce's microseconds for 15 doubles, and milliseconds for a million floats", readNetwork, [] as Network[])
  .option('--no-measure', 'the tables alone, of the networks that are given')
  .parse()
  .opts<{ rounds: number; suffix: string; network: Network[]; measure: boolean }>()

function readNetwork(text: string, before: Network[]): Network[] {
  const [name, numbers] = text.split('=')
  const [few, many] = numbers.split(',').map(Number)
  return [...before, networkOf(name, few / 1e6, many / 1e3)]
}

const path = (file: string) => fileURLToPath(new URL(`../../${file}`, import.meta.url))
/** Where a rank is bound to a core, it waits for whoever else runs there. */
const flags = measure ? flagsFor(`mpirun${suffix}`, '--bind-to', 'none') : []
const job = (ranks: number, ...program: string[]) =>
  execFileSync(`mpirun${suffix}`, [...flags, '-n', String(ranks), ...program], { encoding: 'utf8', env: { ...process.env, FOCAL_LOSS_THREADS: '1' } })

interface Speed {
  readonly few: number
  readonly many: number
}

/** Seconds of a step of the detector's training on one rank, and of this machine's network. */
function measureHere(): { compute: number; network: Network } {
  mkdirSync(path('build'), { recursive: true })
  execFileSync(`mpicc${suffix}`, ['-O2', path('bench/parallel/allreduce.c'), '-o', path('build/allreduce')])
  const speeds = { c: [] as Speed[], js: [] as Speed[] }
  const steps: Record<1 | 2, number[]> = { 1: [], 2: [] }
  for (let round = 0; round < rounds; round++) {
    speeds.c.push(JSON.parse(job(2, path('build/allreduce'))) as Speed)
    speeds.js.push(JSON.parse(job(2, process.execPath, path('test/mpi/rank.mjs'), 'speed', '20000', '50')) as Speed)
    // Of 14 images 8 are to train on: every step has them all
    for (const ranks of [1, 2] as const) {
      const text = job(ranks, process.execPath, '--import', 'tsx', path('examples/data-parallel/main.ts'), '--images', '14', '--epochs', '15')
      steps[ranks].push(Number(/the fastest in ([\d.]+) ms/.exec(text)?.[1]))
    }
  }
  const least = (of: readonly Speed[], what: keyof Speed) => Math.min(...of.map((each) => each[what]))
  const [few, many] = (['few', 'many'] as const).map((what) => least(speeds.js, what))
  const [one, two] = [Math.min(...steps[1]), Math.min(...steps[2])]
  console.log(`On 2 ranks, the least of ${rounds} turns, JavaScript and C:
  all-reduce of 15 doubles       ${few.toFixed(2)} us   ${least(speeds.c, 'few').toFixed(2)} us
  all-reduce of 1 million floats ${many.toFixed(3)} ms  ${least(speeds.c, 'many').toFixed(3)} ms   ratio ${(many / least(speeds.c, 'many')).toFixed(2)}
The detector's training: a step of 8 images ${one.toFixed(1)} ms on 1 rank, ${two.toFixed(1)} ms on 2; parallel efficiency ${(one / (2 * two)).toFixed(2)}`)
  return { compute: one / 1e3, network: networkOf('this machine', few / 1e6, many / 1e3) }
}

const here = measure ? measureHere() : undefined
const networks = here === undefined ? others : [here.network, ...others]
/** Every rank has 8 images; the second is what a network for whole images may be. */
const works: Record<string, Work> = {
  'the detector, 1,345 parameters': { compute: here?.compute ?? 0.1, parameters: 1_345 },
  '25 million parameters': { compute: here?.compute ?? 0.1, parameters: 25e6 },
}
for (const [title, work] of Object.entries(works)) {
  for (const network of networks) {
    console.log(`\n${title}, ${(1e3 * work.compute).toFixed(0)} ms of computing a step and rank, ${network.name}\n ranks   loss's us   gradient's ms   step ms   efficiency   with 5 % jitter   loss's share`)
    for (const ranks of [1, 2, 4, 8, 16, 64, 256, 1024]) {
      const { loss, gradient, step, efficiency, ofLoss } = stepTime(ranks, work, network)
      const uneven = work.compute / simulateStep(ranks, work, network, 0.05, 20)
      console.log([[ranks, 6], [(1e6 * loss).toFixed(1), 12], [(1e3 * gradient).toFixed(2), 16], [(1e3 * step).toFixed(1), 10], [efficiency.toFixed(3), 13], [uneven.toFixed(3), 18], [`${(100 * ofLoss).toPrecision(2)} %`, 15]].map(([text, width]) => String(text).padStart(Number(width))).join(''))
    }
  }
}
