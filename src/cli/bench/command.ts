/** The options of `focal-loss bench`. */
import { type Command, InvalidArgumentError, Option } from 'commander'
import type { BackendName } from 'focal-loss'
import { bench, type BenchOptions } from './bench.js'
import { cases, dtypes, hasSize } from './cases.js'

const BACKENDS: readonly BackendName[] = ['cuda', 'native', 'wasm', 'js']
const SIZES = [80, 960, 96_000, 1_000_000, 16_000_000]
const LARGEST_SIZE = 2 ** 28
const SECONDS = 30
const NAMES = cases.map(({ name }) => name)

export function addBenchCommand(program: Command, print: (text: string) => void): void {
  program
    .command('bench')
    .description('measure the speed of each backend, in less than a minute')
    .option('--backends <names>', 'the backends to measure, separated by commas (default: all that run here)', (text) => namesOf(text, BACKENDS))
    .addOption(
      new Option('--losses <names>', `the losses: ${NAMES.join(', ')}, or all`).argParser(parseLosses).default([cases[0]], NAMES[0]),
    )
    .addOption(new Option('--sizes <numbers>', 'logits per call').argParser(parseSizes).default(SIZES, SIZES.join(',')))
    .addOption(
      new Option('--dtypes <names>', 'types of the logits: float32, float64').argParser((text) => namesOf(text, dtypes)).default(['float32'], 'float32'),
    )
    .option('--seconds <number>', 'time for all measurements; the slowest take longer', parseSeconds, SECONDS)
    .option('--json', 'print JSON')
    .option('--svg <file>', 'also write a chart')
    .showHelpAfterError('(focal-loss bench --help lists the options)')
    .addHelpText('after', `
Examples:
  focal-loss bench --losses all --sizes 96000
  FOCAL_LOSS_THREADS=1 focal-loss bench --backends native,wasm`)
    .action((options: BenchOptions, command: Command) => {
      const { losses, sizes } = options
      if (!losses.some((loss) => sizes.some((size) => hasSize(loss, size)))) {
        command.error("error: no size of --sizes is a multiple of a loss's classes (1000 for softmax-1000, else 80)")
      }
      print(bench(options))
    })
}

/** A list separated by commas, every entry one of `known`. */
export function namesOf<T extends string>(text: string, known: readonly T[]): T[] {
  return text.split(',').map((name) => {
    const found = known.find((one) => one === name.trim())
    if (found === undefined) throw new InvalidArgumentError(`'${name}' is none of ${known.join(', ')}.`)
    return found
  })
}

export function parseLosses(text: string) {
  if (text === 'all') return cases
  const names = namesOf(text, NAMES)
  return cases.filter(({ name }) => names.includes(name))
}

export function parseSizes(text: string): number[] {
  return text.split(',').map((part) => {
    const size = Number(part)
    if (!(Number.isInteger(size) && size >= 1 && size <= LARGEST_SIZE)) {
      throw new InvalidArgumentError(`'${part}' is not an integer from 1 to ${LARGEST_SIZE}.`)
    }
    return size
  })
}

export function parseSeconds(text: string): number {
  const seconds = Number(text)
  if (!(seconds > 0 && seconds <= 3600)) throw new InvalidArgumentError('expected a number above 0, up to 3600.')
  return seconds
}
