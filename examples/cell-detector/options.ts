import { Command, InvalidArgumentError } from 'commander'

export interface Options {
  readonly data?: string
  readonly report: string
  readonly epochs: number
  readonly learningRate: number
  readonly seed: number
  readonly seeds: number
  readonly images?: number
  readonly backend?: string
}

/** Reads the command line. Commander itself prints help and errors, and ends the process with 0 or 1. */
export function parseOptions(argv: readonly string[]): Options {
  return new Command('cell-detector')
    .description('Trains a dense platelet detector under several losses and writes a report.\nWith npm, options follow two dashes: npm start -- --epochs 4')
    .option('--data <dir>', 'images in the layout of the BCCD set; without it, synthetic micrographs are generated')
    .option('--report <file>', 'where the report goes', 'report.html')
    .option('--epochs <n>', 'passes over the training images, for each loss', positiveInteger, 12)
    .option('--learning-rate <x>', 'where the learning rate of Adam starts, for each loss', positiveNumber, 0.02)
    .option('--seed <n>', 'seed of the weights, the order of the images and the synthetic images', wholeNumber, 1)
    .option('--seeds <n>', 'train with this many seeds, from --seed on, and compare the losses over them', positiveInteger, 1)
    .option('--images <n>', 'use only this many images, every split in proportion', positiveInteger)
    .option('--backend <name>', 'backend of the loss: native, wasm or js (default: chosen by the library)')
    .allowExcessArguments(false)
    .parse([...argv])
    .opts<Options>()
}

function wholeNumber(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError(`expected a whole number, got ${JSON.stringify(text)}.`)
  return Number(text)
}

function positiveInteger(text: string): number {
  const value = wholeNumber(text)
  if (value === 0) throw new InvalidArgumentError('expected a whole number above 0.')
  return value
}

function positiveNumber(text: string): number {
  const value = Number(text)
  if (!(value > 0 && Number.isFinite(value))) throw new InvalidArgumentError(`expected a number above 0, got ${JSON.stringify(text)}.`)
  return value
}
