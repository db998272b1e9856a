/** The options of `focal-loss calibrate`. */
import { type Command, Option } from 'commander'
import { listOf, parseAlpha, parseGamma, parseInteger, parseNames, parseTemperature } from '../options.js'
import { lossNames } from '../explain/losses.js'
import { formats } from '../explain/standard_input.js'
import type { CalibrateOptions } from './calibrate.js'

export function addCalibrateCommand(program: Command, print: (text: string) => void): void {
  program
    .command('calibrate')
    .description('convert the logits of a trained model to calibrated probabilities; reads .npy, .npz, .safetensors, .csv, .tsv, .txt (also .gz), .parquet, .arrow and .feather')
    .argument('<file>', 'the logits; - is standard input')
    .addOption(new Option('--format <name>', 'the file type of standard input').choices(formats))
    .addOption(new Option('--loss <name>', 'the loss that trained the model').choices(lossNames).makeOptionMandatory())
    .requiredOption('--out <file>', 'write the probabilities here: .npy (float32, in the shape of the logits) or .csv')
    .option('--gamma <number>', "gamma of that loss (default: the loss's own)", parseGamma)
    .option('--alpha <number>', "alpha of that loss, 'none' for none (default: the loss's own)", parseAlpha)
    .addOption(new Option('--temperature <number>', 'divide the logits by this temperature, instead of inverting the loss').argParser(parseTemperature).conflicts(['gamma', 'alpha']))
    .addOption(new Option('--inputs <kind>', 'whether the scores are logits or probabilities').choices(['logits', 'probabilities']).default('logits'))
    .addOption(new Option('--dtype <type>', 'the type of logits stored as <V2 or <u2').choices(['float16', 'bfloat16']))
    .option('--shape <sizes>', 'the shape of the logits, if the file does not have it: 100,80', listOf('size', 0, Number.MAX_SAFE_INTEGER, true))
    .option('--class-axis <axis>', 'the axis of the classes, not the first; negative counts from the end (default: -1)', parseInteger)
    .option('--columns <names>', 'the columns with logits, by name or by position from 1', parseNames)
    .option('--header', 'the first line of a text file is a header (default: if it is not a row of numbers)')
    .option('--no-header', 'the first line of a text file is data')
    .option('--logits-array <name>', 'the array with the logits in an .npz or .safetensors file', 'logits')
    .showHelpAfterError('(focal-loss calibrate --help lists the options)')
    .addHelpText('after', `
Examples:
  focal-loss calibrate logits.npy --loss sigmoid --gamma 2 --alpha 0.25 --out probabilities.npy
  focal-loss calibrate logits.npy --loss sigmoid --temperature 1.4 --out tempered.csv`)
    .action(async (file: string, options: CalibrateOptions) => {
      // The file formats are only loaded where they are needed
      const { calibrateFile } = await import('./calibrate.js')
      print(await calibrateFile(file, options))
    })
}
