/** The options of `focal-loss explain`. */
import { type Command, Option } from 'commander'
import { listOf, parseAlphas, parseBackground, parseBins, parseCount, parseIgnored, parseInteger, parseLabel, parseNames, parsePart, parseThreads } from '../options.js'
import type { ExplainCommandOptions } from './explain.js'
import { lossNames } from './losses.js'
import { formats } from './standard_input.js'

export function addExplainCommand(program: Command, print: (text: string) => void): void {
  program
    .command('explain')
    .description('where a loss and its gradient go, on logits and targets from .npy, .npz, .safetensors, .csv, .tsv, .txt (also .gz), .parquet, .arrow or .feather files')
    .argument('[file]', 'logits; an .npz or .safetensors file or a table may hold the targets too; - is standard input')
    .addOption(new Option('--format <name>', 'what standard input is').choices(formats))
    .addOption(
      new Option('--sql <select>', 'a query in place of a file, which DuckDB runs (npm install @duckdb/node-api): over Parquet, CSV and JSON').conflicts(['targets', 'format', 'merge', 'threads', 'part', 'shape', 'classAxis', 'dtype', 'header']),
    )
    .option('--targets <file>', 'targets: one for each logit, or the index of a class for each row')
    .addOption(new Option('--loss <name>', 'the loss, with its own default options').choices(lossNames).default('sigmoid'))
    .option('--gammas <numbers>', "gammas to compare (default: sigmoid and softmax 0,0.5,1,2,5; others the loss's own)", listOf('gamma', 0, Infinity))
    .option('--alphas <numbers>', "alphas to compare, 'none' for none (default: sigmoid and softmax none; others the loss's own)", parseAlphas)
    .addOption(new Option('--inputs <kind>', 'what the numbers are').choices(['logits', 'probabilities']).default('logits'))
    .addOption(new Option('--dtype <type>', 'what the bits of logits kept as <V2 or <u2 are').choices(['float16', 'bfloat16']))
    .option('--shape <sizes>', 'the shape of the logits, where it is not that of the file: 100,80', listOf('size', 0, Number.MAX_SAFE_INTEGER, true))
    .option('--class-axis <axis>', 'the axis of the classes, negative from the end (default: -1)', parseInteger)
    .addOption(new Option('--background <index>', "the class index that means no class, or 'num-classes'").argParser(parseBackground).default(null, 'none'))
    .addOption(new Option('--ignore-index <index>', "targets with this value are ignored; 'NaN': those that are missing (NaN, null, an empty cell)").argParser(parseIgnored).default(null, 'none'))
    .addOption(new Option('--target-kind <kind>', 'what the targets are, where one class leaves both open').choices(['labels', 'class-index']))
    .addOption(new Option('--positive-from <label>', 'the least label that is a peak, and taken for 1 (heatmap)').argParser(parseLabel))
    .option('--columns <names>', 'the columns of a table that are logits, by name or by place from 1 on (default: by their names, else all but the target)', parseNames)
    .option('--target-columns <names>', "and those that are targets (default: 'target', 'label' or 'y_true'; without a header the last)", parseNames)
    .option('--header', 'the first line of a table of text is a header (default: if it is no row of numbers)')
    .option('--no-header', 'it is none')
    .option('--logits-array <name>', 'the array of an .npz or .safetensors file that holds the logits', 'logits')
    .option('--targets-array <name>', 'and the one that holds the targets', 'targets')
    .option('--hardest <number>', 'how many of the examples of greatest loss to list', parseCount, 10)
    .option('--bins <numbers>', 'of p_t: how many, or their edges from 0 to 1 (default: tenths, the last divided at 0.99 and 0.999)', parseBins)
    .option('--json <file>', "write everything as JSON; '-' prints it instead of the tables")
    .option('--save <file>', 'write what was found as a part of a whole, for --merge')
    .option('--merge <files...>', 'report on the whole, from files that --save wrote, in the order of the data')
    .option('--threads <number>', 'how many processes share the work on an .npy, .npz, .safetensors, .parquet or .arrow file', parseThreads)
    .option('--part <share>', 'only this share of such a file: 2/4 is the second quarter', parsePart)
    .option('--svg <file>', 'draw the cumulative losses and the shares by p_t')
    .option('--html <file>', 'write a page with the chart and the tables')
    .action(async (file: string | undefined, options: ExplainCommandOptions, command: Command) => {
      if ([file, options.merge, options.sql].filter((given) => given !== undefined).length !== 1) command.error('error: expected a file with logits, --sql with a query, or --merge with files that --save wrote')
      // The file formats are only loaded where they are needed
      const { explainFiles } = await import('./explain.js')
      const { text, warnings } = await explainFiles(file, options)
      for (const warning of warnings) process.stderr.write(`focal-loss: warning: ${warning}\n`)
      print(text)
    })
}
