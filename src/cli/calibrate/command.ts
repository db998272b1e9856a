/** The options of `focal-loss calibrate`. */
import { type Command, Option } from 'commander'
import { listOf, parseAlpha, parseGamma, parseInteger, parseNames, parseTemperature } from '../options.js'
import { lossNames } from '../explain/losses.js'
import { formats } from '../explain/standard_input.js'
import type { CalibrateOptions } from './calibrate.js'

export function addCalibrateCommand(program: Command, print: (text: string) => void): void {
  program
    .command('calibrate')
    .description('the probabilities that logits of a model trained with a loss stand for, of .npy, .npz, .safetensors, .csv, .tsv, .txt (also .gz), .parquet, .arrow or .feather files')
    .argument('<file>', 'logits; - is standard input')
    .addOption(new Option('--format <name>', 'what standard input is').choices(formats))
    .addOption(new Option('--loss <name>', 'the loss that the model was trained with').choices(lossNames).makeOptionMandatory())
    .requiredOption('--out <file>', 'the probabilities: .npy (float32, in the shape of the logits) or .csv')
    .option('--gamma <number>', "its gamma (default: the loss's own)", parseGamma)
    .option('--alpha <number>', "its alpha, 'none' for none (default: the loss's own)", parseAlpha)
    .option('--temperature <number>', 'the probabilities of logits divided by this instead, whatever the loss', parseTemperature)
    .addOption(new Option('--inputs <kind>', 'what the numbers are').choices(['logits', 'probabilities']).default('logits'))
    .addOption(new Option('--dtype <type>', 'what the bits of logits kept as <V2 or <u2 are').choices(['float16', 'bfloat16']))
    .option('--shape <sizes>', 'the shape of the logits, where it is not that of the file: 100,80', listOf('size', 0, Number.MAX_SAFE_INTEGER, true))
    .option('--class-axis <axis>', 'the axis of the classes, negative from the end; not the first (default: -1)', parseInteger)
    .option('--columns <names>', 'the columns of a table that are logits, by name or by place from 1 on', parseNames)
    .option('--header', 'the first line of a table of text is a header (default: if it is no row of numbers)')
    .option('--no-header', 'it is none')
    .option('--logits-array <name>', 'the array of an .npz or .safetensors file that holds the logits', 'logits')
    .action(async (file: string, options: CalibrateOptions) => {
      // The file formats are only loaded where they are needed
      const { calibrateFile } = await import('./calibrate.js')
      print(await calibrateFile(file, options))
    })
}
