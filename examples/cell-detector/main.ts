import { access, constants, stat, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { SigmoidFocalLoss } from 'focal-loss'
import { chooseBackend, describeBackend } from './backend.js'
import { openBccd } from './data/bccd.js'
import { limitImages, SPLITS, type ImageSource } from './data/micrograph.js'
import { generateMicrographs } from './data/synthetic.js'
import { loadDataset, type Dataset } from './dataset.js'
import { messageOf, UserError } from './errors.js'
import { describeFirstStep } from './first_step.js'
import { buildModel, predictLogits, startTensorFlow } from './model.js'
import { npyBytes } from './npy.js'
import { parseOptions, type Options } from './options.js'
import { drawDetections } from './pictures.js'
import { cumulativeLossPlot, precisionRecallPlot, trainingLossPlot } from './plots.js'
import { startProgress } from './progress.js'
import { renderReport } from './report.js'
import { judge, predict, type Predicted, type Result } from './results.js'
import { seedScores, seedTable, seedVerdict } from './seeds.js'
import { firstStepTable, formatTable, resultTable, type TextTable } from './tables.js'
import { stepsPerEpoch, trainVariant } from './train.js'
import { trainingVariants, type Variant } from './variants.js'
import { verdict } from './verdict.js'

const PICTURES = 2

/** Of the curves of figure 4. */
const GAMMAS = [0, 0.5, 1, 2, 5]

async function main(options: Options): Promise<void> {
  const started = performance.now()
  await expectWritable(options.report)
  chooseBackend(options.backend)
  const source = limitImages(await openSource(options), options.images)
  const backend = describeBackend(options.backend)
  console.log([`Images: ${source.description}.`, ...backend, ''].join('\n'))

  await startTensorFlow()
  const data = await load(source)
  const prior = data.train.positives / data.train.targets.length
  const counts = describeCounts(data)
  console.log(['', ...counts, ''].join('\n'))

  const untrained = predictLogits(buildModel(options.seed, 0), data.train.features)
  const firstStep = firstStepTable(describeFirstStep(untrained, data.train.targets, prior))
  console.log('Which cells have the loss and the gradient before the first update (all training cells, untrained network):')
  console.log(`${formatTable(firstStep)}\n`)

  const perSeed = await trainAll(data, trainingVariants(prior), options)
  const [results] = perSeed
  const table = resultTable(results)
  const conclusion = verdict(results, data.test.names.length)
  const seeds = options.seeds > 1 ? { table: seedTable(seedScores(perSeed)), verdict: seedVerdict(seedScores(perSeed)) } : undefined
  console.log(`\nOn the test images (F1 at the threshold that was best on validation; same weights, order and Adam for all):`)
  console.log(`${formatTable(table)}\n\n${conclusion}\n`)
  if (seeds !== undefined) console.log(`Over ${options.seeds} seeds, with 95 % intervals:\n${formatTable(seeds.table)}\n\n${seeds.verdict}\n`)

  await writeFile(options.report, await buildReport({ source, data, facts: [backend[0] ?? '', ...counts], firstStep, results, table, conclusion, seeds }))
  const focal = bestFocal(results)
  const [logits, targets] = ['logits.npy', 'targets.npy'].map((name) => path.join(path.dirname(options.report), name))
  await writeFile(logits, npyBytes(focal.testLogits))
  await writeFile(targets, npyBytes(data.test.targets))
  console.log(`Report: ${options.report}. Took ${((performance.now() - started) / 1000).toFixed(0)} s in all.`)
  console.log(`Logits and targets of the test images (${focal.variant.name}): npx focal-loss explain ${logits} --targets ${targets}`)
}

function openSource({ data, seed }: Options): Promise<ImageSource> | ImageSource {
  return data === undefined ? generateMicrographs(seed) : openBccd(data)
}

function load(source: ImageSource): Promise<Dataset> {
  const total = SPLITS.reduce((sum, split) => sum + source.splits[split].length, 0)
  const progress = startProgress('Images', total)
  return loadDataset(source, () => progress.advance()).finally(() => progress.stop())
}

function describeCounts(data: Dataset): string[] {
  return SPLITS.map((split) => {
    const { names, targets, positives } = data[split]
    const background = targets.length - positives
    return `${split}: ${names.length} images, ${positives} platelet cells, ${background} background cells (1 : ${Math.round(background / positives)})`
  })
}

/** One list of results for each seed. */
async function trainAll(data: Dataset, variants: readonly Variant[], { epochs, learningRate, seed, seeds }: Options): Promise<Result[][]> {
  const progress = startProgress('Training', seeds * variants.length * epochs * stepsPerEpoch(data.train))
  const results: Result[][] = []
  try {
    for (let at = seed; at < seed + seeds; at++) {
      const predicted: Predicted[] = []
      for (const variant of variants) {
        const onStep = (loss: number): void => progress.advance(`loss ${loss.toPrecision(3)}, ${variant.name}`)
        const trained = await trainVariant(data.train, variant, { epochs, learningRate, seed: at, onStep })
        predicted.push(predict(variant, trained, data))
        trained.model.dispose()
      }
      results.push(judge(predicted, data, at))
    }
  } finally {
    progress.stop()
  }
  return results
}

interface Findings {
  readonly source: ImageSource
  readonly data: Dataset
  readonly facts: readonly string[]
  readonly firstStep: TextTable
  readonly results: readonly Result[]
  readonly table: TextTable
  readonly conclusion: string
  /** Over several seeds, where there are any. */
  readonly seeds: { readonly table: TextTable; readonly verdict: string } | undefined
}

async function buildReport({ source, data, facts, firstStep, results, table, conclusion, seeds }: Findings): Promise<string> {
  const [best] = byPrecision(results)
  const focal = bestFocal(results)
  const { losses } = new SigmoidFocalLoss({ alpha: null }).explain(focal.testLogits, data.test.targets, { gammas: GAMMAS })
  return renderReport({
    source: source.description,
    facts,
    verdict: conclusion,
    results: table,
    ...(seeds === undefined ? {} : { seeds }),
    firstStep,
    plots: {
      precisionRecall: await precisionRecallPlot(results),
      trainingLoss: await trainingLossPlot(results),
      positives: await cumulativeLossPlot(losses, 'platelet'),
      negatives: await cumulativeLossPlot(losses, 'background'),
    },
    curvesOf: focal.variant.name,
    picturesOf: best.variant.name,
    pictures: await drawDetections(source, data.test, best, PICTURES),
  })
}

/** The best first. */
function byPrecision(results: readonly Result[]): Result[] {
  return results.toSorted((a, b) => b.averagePrecision - a.averagePrecision)
}

function bestFocal(results: readonly Result[]): Result {
  const sorted = byPrecision(results)
  return sorted.find((result) => result.focal) ?? sorted[0]
}

/** Minutes of training should not end with a report that cannot be written. */
async function expectWritable(file: string): Promise<void> {
  const folder = path.dirname(file)
  try {
    await access(folder, constants.W_OK)
  } catch (error) {
    throw new UserError(`--report ${file}: cannot write to the folder ${folder}: ${messageOf(error)}`)
  }
  const found = await stat(file).catch(() => undefined)
  if (found?.isDirectory()) throw new UserError(`--report ${file}: is a folder; expected the name of a file`)
}

try {
  await main(parseOptions(process.argv))
} catch (error) {
  if (!(error instanceof UserError)) throw error
  console.error(`cell-detector: ${error.message}`)
  process.exitCode = 1
}
