/** One rank of an MPI job: `mpirun -n N node rank.mjs SCENARIO`. Prints one line of JSON, on rank 0 or where a scenario says so. */
import { SigmoidFocalLoss, SoftmaxFocalLoss } from 'focal-loss'
import { parallelStep } from 'focal-loss/parallel'
import { joinMpi } from '../../mpi/dist/index.js'

const [scenario, detail, most] = process.argv.slice(2)
const timeout = 60
const mpi = joinMpi({ timeout: scenario === 'leave' || detail === '0' ? 2 : scenario === 'partition' ? 10 : timeout })
const { rank, size } = mpi
const print = (value) => process.stdout.write(`${JSON.stringify(value)}\n`)

const rows = 24
const classes = 4
const numbers = (length, at) => Float64Array.from({ length }, (_, k) => 4 * Math.sin(at * k + 1))

/** The batch, of which this rank has its rows: uneven, and of four ranks one has none. */
function partOf(logits) {
  const shares = { 1: [24], 2: [5, 19], 3: [11, 3, 10], 4: [7, 0, 16, 1] }[size]
  const begin = shares.slice(0, rank).reduce((a, b) => a + b, 0)
  const end = begin + shares[rank]
  const targets = Int32Array.from({ length: rows }, (_, r) => (r % 3 === 0 ? r % classes : classes))
  return { logits: logits.slice(begin * classes, end * classes), targets: targets.slice(begin, end), call: { shape: [end - begin, classes] }, begin, whole: { logits, targets, call: { shape: [rows, classes] } } }
}

const scenarios = {
  /** The largest relative distance of value and gradient from one process's, over losses, reductions and both types. */
  async loss() {
    const worst = { float32: 0, float64: 0 }
    for (const Loss of [SigmoidFocalLoss, SoftmaxFocalLoss]) {
      for (const reduction of ['mean', 'mean-rows', 'mean-positives', 'sum']) {
        for (const type of ['float32', 'float64']) {
          const loss = new Loss({ reduction, background: 'num-classes' })
          const all = numbers(rows * classes, 3)
          const { logits, targets, call, begin, whole } = partOf(type === 'float32' ? Float32Array.from(all) : all)
          const { value, grad } = await parallelStep(loss, mpi).valueAndGrad(logits, targets, call)
          const expected = loss.valueAndGrad(whole.logits, whole.targets, whole.call)
          const largest = expected.grad.reduce((most, each) => Math.max(most, Math.abs(each)), 0)
          worst[type] = grad.reduce((most, each, k) => Math.max(most, Math.abs(each - expected.grad[begin * classes + k]) / largest), Math.max(worst[type], Math.abs(value / expected.value - 1)))
        }
      }
    }
    const far = Float64Array.of(worst.float32, worst.float64)
    mpi.allReduce(far)
    if (rank === 0) print({ size, float32: far[0], float64: far[1] })
  },

  async reduce() {
    const long = Float32Array.from({ length: 300_000 }, (_, k) => (k % 100) * (rank + 1))
    mpi.allReduce(long)
    const factor = (size * (size + 1)) / 2
    const [first, second] = [new Float64Array(1000).fill(rank), new Float64Array(1000).fill(1)]
    let turns = 0
    const clock = setInterval(() => turns++, 1)
    // The last rank comes late: the others turn meanwhile
    if (rank === size - 1) await new Promise((done) => setTimeout(done, 200))
    await Promise.all([mpi.allReduceAsync(first), mpi.allReduceAsync(second)])
    clearInterval(clock)
    const sent = Float64Array.of(rank, 10 * rank)
    mpi.broadcast(sent, size - 1)
    mpi.barrier()
    mpi.allReduce(new Float64Array(0))
    if (rank === 0) print({ long: long.every((each, k) => each === (k % 100) * factor), first: first[7], second: second[999], turns, sent: [...sent], library: mpi.library })
  },

  async refused() {
    const step = parallelStep(new SigmoidFocalLoss(), mpi)
    const message = await step.valueAndGrad(Float64Array.of(1), [rank === 1 ? 7 : 1]).then(() => 'none', ({ message }) => message)
    // The job goes on
    const { value } = await step.valueAndGrad(Float64Array.of(1), [1])
    if (rank < 2) print({ rank, message, value })
  },

  /** Rank 1 ends in the middle: as `detail` says. */
  async end() {
    mpi.barrier()
    if (rank === 1) {
      if (detail === 'throw') throw new Error('out of luck')
      if (detail === 'kill') process.kill(process.pid, 'SIGKILL')
      process.exit(Number(detail))
    }
    mpi.allReduce(new Float64Array(4))
  },

  /** Rank 1 goes on without the others. */
  async leave() {
    if (rank === 1) await new Promise((done) => setTimeout(done, 60_000))
    else mpi.allReduce(new Float64Array(Number(detail ?? 4)))
  },

  /** Small all-reduces for 30 seconds, while somebody breaks the network. */
  partition() {
    for (const end = Date.now() + 30_000; Date.now() < end; ) mpi.allReduce(new Float64Array(15))
  },

  wrong() {
    const errors = []
    for (const call of [() => mpi.allReduce(Int32Array.of(1)), () => mpi.allReduce([1]), () => mpi.broadcast(new Float64Array(1), 9), () => joinMpi({ timeout: 0 })]) {
      try {
        call()
        errors.push('none')
      } catch (error) {
        errors.push(`${error.name}: ${error.message}`)
      }
    }
    if (rank === 0) print(errors)
  },

  /** Microseconds of the all-reduce of a step, and milliseconds of that of a million floats: the least of many, or of as many as are asked for. */
  speed() {
    const least = (times, run) => {
      let best = Infinity
      for (let i = 0; i < times; i++) {
        const begin = process.hrtime.bigint()
        run()
        best = Math.min(best, Number(process.hrtime.bigint() - begin))
      }
      return best
    }
    const [few, many] = [new Float64Array(15), new Float32Array(1_000_000)]
    const result = { few: least(Number(detail ?? 20_000), () => mpi.allReduce(few)) / 1e3, many: least(Number(most ?? 50), () => mpi.allReduce(many)) / 1e6 }
    if (rank === 0) print(result)
  },
}

await scenarios[scenario]()
