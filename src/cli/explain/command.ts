/** The options of `focal-loss explain`. */
import { type Command, Option } from 'commander'
import { listOf, parseAlphas, parseBackground, parseBins, parseCount, parseIgnored, parseInteger, parseLabel, parseNames, parsePart, parseThreads } from '../options.js'
import type { ExplainCommandOptions } from './explain.js'
import { lossNames } from './losses.js'
import { formats } from './standard_input.js'

export function addExplainCommand(program: Command, print: (text: string) => void): void {
  program
    .command('explain')
    .description('report which examples have the loss and the gradient, and evaluate the scores; reads .npy, .npz, .safetensors, .csv, .tsv, .txt (also .gz), .parquet, .arrow and .feather')
    .argument('[file]', 'the logits; .npz, .safetensors and tables may also contain the targets; - is standard input')
    .addOption(new Option('--format <name>', 'the file type of standard input').choices(formats))
    .addOption(
      new Option('--sql <select>', 'read the rows of a DuckDB query instead of a file (needs npm install @duckdb/node-api)').conflicts(['targets', 'format', 'merge', 'threads', 'part', 'shape', 'classAxis', 'dtype', 'header']),
    )
    .option('--targets <file>', 'the targets: a label per logit, or a class index per row')
    .addOption(new Option('--loss <name>', 'the loss, with its default options').choices(lossNames).default('sigmoid'))
    .option('--gammas <numbers>', "gammas to compare (default: sigmoid and softmax 0,0.5,1,2,5; others the loss's own); scores are recalibrated for gamma 2 if it is among them, else for the last", listOf('gamma', 0, Infinity))
    .option('--alphas <numbers>', "alphas to compare, 'none' for none (default: sigmoid and softmax none; others the loss's own); scores are recalibrated for the last", parseAlphas)
    .addOption(new Option('--inputs <kind>', 'whether the scores are logits or probabilities').choices(['logits', 'probabilities']).default('logits'))
    .addOption(new Option('--dtype <type>', 'the type of logits stored as <V2 or <u2').choices(['float16', 'bfloat16']))
    .option('--shape <sizes>', 'the shape of the logits, if the file does not have it: 100,80', listOf('size', 0, Number.MAX_SAFE_INTEGER, true))
    .option('--class-axis <axis>', 'the axis of the classes; negative counts from the end (default: -1)', parseInteger)
    .addOption(new Option('--background <index>', "the class index of the background, or 'num-classes'").argParser(parseBackground).default(null, 'none'))
    .addOption(new Option('--ignore-index <index>', "ignore targets with this value; 'NaN': missing targets (NaN, null, an empty cell)").argParser(parseIgnored).default(null, 'none'))
    .addOption(new Option('--target-kind <kind>', 'how to read targets if there is one class').choices(['labels', 'class-index']))
    .addOption(new Option('--positive-from <label>', 'count labels from this one on as peaks (heatmap)').argParser(parseLabel))
    .option('--columns <names>', 'the columns with logits, by name or by position from 1 (default: chosen by their names, else all except the target)', parseNames)
    .option('--target-columns <names>', "the columns with targets (default: 'target', 'label' or 'y_true'; without a header the last)", parseNames)
    .option('--header', 'the first line of a text file is a header (default: if it is not a row of numbers)')
    .option('--no-header', 'the first line of a text file is data')
    .option('--logits-array <name>', 'the array with the logits in an .npz or .safetensors file', 'logits')
    .option('--targets-array <name>', 'the array with the targets in an .npz or .safetensors file', 'targets')
    .option('--hardest <number>', 'how many of the examples with the largest loss to list', parseCount, 10)
    .option('--bins <numbers>', 'the number of bins of p_t, or their edges from 0 to 1 (default: ten, the last divided at 0.99 and 0.999)', parseBins)
    .option('--json <file>', "write everything as JSON; '-' prints it instead of the tables")
    .option('--save <file>', 'save the result of a part of the data, for --merge')
    .addOption(
      new Option('--merge <files...>', 'report on all parts, from files written by --save, in the order of the data')
        .conflicts(['targets', 'format', 'threads', 'part', 'loss', 'gammas', 'alphas', 'inputs', 'dtype', 'shape', 'classAxis', 'background', 'ignoreIndex', 'targetKind', 'positiveFrom'])
        .conflicts(['columns', 'targetColumns', 'header', 'logitsArray', 'targetsArray', 'hardest', 'bins']),
    )
    .option('--threads <number>', 'read an .npy, .npz, .safetensors, .parquet or .arrow file with this many processes', parseThreads)
    .option('--part <share>', 'read only this part of such a file: 2/4 is the second quarter', parsePart)
    .option('--svg <file>', 'write the chart: cumulative loss, and shares by p_t')
    .option('--html <file>', 'write a page with charts and tables')
    .showHelpAfterError('(focal-loss explain --help lists the options)')
    .addHelpText('after', `
Examples:
  focal-loss explain logits.npy --targets targets.npy --gammas 0,2
  focal-loss explain scores.csv --html report.html`)
    .action(async (file: string | undefined, options: ExplainCommandOptions, command: Command) => {
      if ([file, options.merge, options.sql].filter((given) => given !== undefined).length !== 1) command.error('error: expected a file with logits, --sql with a query, or --merge with files written by --save')
      // The file formats are only loaded where they are needed
      const { explainFiles } = await import('./explain.js')
      const { text, warnings } = await explainFiles(file, options)
      for (const warning of warnings) process.stderr.write(`focal-loss: warning: ${warning}\n`)
      print(text)
    })
}
