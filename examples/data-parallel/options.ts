import { Command, InvalidArgumentError, Option } from 'commander'

export interface Options {
  readonly data?: string
  readonly images?: number
  readonly epochs: number
  readonly batch: number
  readonly learningRate: number
  readonly seed: number
  readonly precision: 'float32' | 'float64'
  readonly checkpoint?: string
  /** Steps between checkpoints. */
  readonly every: number
  readonly losses?: string
  readonly kill?: { readonly rank: number; readonly step: number }
}

/** Reads the command line. Commander itself prints help and errors, and ends the process with 0 or 1. */
export function parseOptions(argv: readonly string[]): Options {
  return new Command('data-parallel')
    .description('Trains the platelet detector on all ranks of an MPI job.\nmpirun -n 4 node --import tsx examples/data-parallel/main.ts')
    .option('--data <dir>', 'images in the layout of the BCCD set; without it, synthetic micrographs are generated')
    .option('--images <n>', 'use only this many images', positiveInteger)
    .option('--epochs <n>', 'passes over the training images', positiveInteger, 4)
    .option('--batch <n>', 'images of a step, over all ranks', positiveInteger, 8)
    .option('--learning-rate <x>', 'of Adam', positiveNumber, 0.005)
    .option('--seed <n>', 'of the weights, the order of the images and the synthetic images', positiveInteger, 1)
    .addOption(new Option('--precision <type>', 'of the network').choices(['float32', 'float64']).default('float32'))
    .option('--checkpoint <file>', 'goes on from this file where it is there, and keeps it up to date')
    .option('--every <n>', 'steps between checkpoints', positiveInteger, 20)
    .option('--losses <file>', 'writes the loss of every step as JSON')
    .option('--kill <rank:step>', 'to see what happens: that rank kills itself there', parseKill)
    .allowExcessArguments(false)
    .parse([...argv])
    .opts<Options>()
}

export function positiveInteger(text: string): number {
  const value = Number(text)
  if (!Number.isSafeInteger(value) || value < 1) throw new InvalidArgumentError('expected a whole number above 0.')
  return value
}

function positiveNumber(text: string): number {
  const value = Number(text)
  if (!(value > 0 && Number.isFinite(value))) throw new InvalidArgumentError('expected a number above 0.')
  return value
}

function parseKill(text: string): { rank: number; step: number } {
  const parts = /^(\d+):(\d+)$/.exec(text)
  if (parts === null) throw new InvalidArgumentError('expected a rank and a step, as in 1:30.')
  return { rank: Number(parts[1]), step: Number(parts[2]) }
}
