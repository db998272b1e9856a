/** The evaluation of the scores: a summary line, and tables. */
import type { Evaluation, ExplainedLoss, Figures, Threshold } from 'focal-loss'
import { significant } from '../output/numbers.js'
import type { EvaluatedFiles, Trained } from './explained.js'
import { fullNameOf, nameOf, percent, tablesOf, type TextTable, type TextTables } from './tables.js'

/** Classes that are listed at most. */
const MOST_CLASSES = 20

const kinds = ['raw', 'recalibrated', 'tempered'] as const

/** `positives are 0.3 % and have 71 % of the gradient at gamma 2; best F1 0.61 at logit -1.2, probability 0.22`. */
export function readingOf({ losses, example, evaluation: { trained, scores } }: Omit<EvaluatedFiles, 'reading'>): string {
  const { raw } = scores
  if (raw.count === 0) return 'there are no examples to judge'
  if (example === 'row') return `${percent(raw.rate ?? 0)} of the top labels are right, at a mean confidence of ${percent(meanScoreOf(raw))}; lowest log loss: ${scores.best ?? 'none'}`
  const one = trainedIn(losses, trained)
  const share = `positives are ${percent(raw.rate ?? 0)} and have ${percent(one.positives.gradientShare)} of the gradient at ${nameOf(one)}`
  const best = raw.thresholds?.bestF1
  return best === undefined ? share : `${share}; best F1 ${fixed(best.f1)} at logit ${number(best.logit)}, probability ${number(best.probability)}`
}

/** The loss among those compared that scores are recalibrated for. */
function trainedIn(losses: readonly ExplainedLoss[], { gamma, alpha }: Trained): ExplainedLoss {
  return losses.find((one) => one.gamma === gamma && one.alpha === alpha) ?? losses[0]
}

/** With the options that name another. */
function trainedName(trained: Trained): string {
  const flags = [...(trained.gamma === undefined ? [] : ['--gammas']), ...(trained.alpha === undefined ? [] : ['--alphas'])]
  return fullNameOf(trained) + (flags.length === 0 ? '' : ` (say ${flags.join(' and ')} if with another)`)
}

function evaluationTables({ losses, example, evaluation: { trained, scores } }: EvaluatedFiles): TextTable[] {
  const { raw, recalibrated } = scores
  const columns = kinds.flatMap((kind) => (scores[kind] === null ? [] : [{ kind, figures: scores[kind] }]))
  const best = scores.best === null ? '' : `; lowest log loss: ${scores.best}`
  const title = `Scores, raw and recalibrated for a model trained with ${trainedName(trained)}${best}`
  return [
    {
      title,
      head: ['', 'AP', 'ROC area', 'Brier', 'log loss', 'ECE', 'adaptive ECE'],
      rows: columns.map(({ kind, figures }) => [kind, ...scalarsOf(figures)]),
      left: 1,
    },
    ...(raw.thresholds === null || example === 'row' ? [] : [thresholdTable(raw, recalibrated)]),
    ...(raw.classes.length > 0 ? [classTable(raw.classes, example, [...new Set([losses[0], trainedIn(losses, trained)])])] : []),
  ]
}

function scalarsOf({ averagePrecision, rocAuc, brier, logLoss, calibrationError, adaptiveCalibrationError }: Figures): string[] {
  return [fixed(averagePrecision), fixed(rocAuc), number(brier), number(logLoss), share(calibrationError), share(adaptiveCalibrationError)]
}

function thresholdTable(raw: Figures, recalibrated: Figures): TextTable {
  const rowsOf = ({ thresholds }: Figures): (readonly [string, Threshold | null])[] =>
    thresholds === null
      ? []
      : [
          ['best F1', thresholds.bestF1],
          ...thresholds.recall.map(({ atLeast, cut }) => [`recall ${atLeast}`, cut] as const),
          ...thresholds.precision.map(({ atLeast, cut }) => [`precision ${atLeast}`, cut] as const),
          ...thresholds.cost.map(({ falsePositive, falseNegative, cut }) => [`costs ${falsePositive} : ${falseNegative}`, cut] as const),
        ]
  const calibrated = rowsOf(recalibrated)
  return {
    title: 'Thresholds: scores at or above are positive; costs are of a false positive and a false negative',
    head: ['', 'logit', 'raw', 'recalibrated', 'precision', 'recall', 'F1'],
    rows: rowsOf(raw).map(([name, cut], i) =>
      cut === null
        ? [name, 'none', '', '', '', '', '']
        : [name, number(cut.logit), number(cut.probability), number(calibrated[i][1]?.probability ?? null), fixed(cut.precision), fixed(cut.recall), fixed(cut.f1)],
    ),
    left: 1,
  }
}

/** `losses`: whose gradients are compared, the first and the one that the report is about. */
function classTable(classes: readonly Figures[], example: Evaluation['example'], losses: readonly ExplainedLoss[]): TextTable {
  const order = Array.from(classes.keys()).sort((a, b) => (classes[a].averagePrecision ?? 2) - (classes[b].averagePrecision ?? 2))
  const listed = order.slice(0, MOST_CLASSES)
  const rest = classes.length > listed.length ? `the ${listed.length} with the lowest average precision, of ${classes.length}` : 'lowest average precision first'
  return {
    title: `By class, ${rest}; ${losses.map(nameOf).join(' and ')}: share of the gradient`,
    // No logit of a softmax decides alone
    head: ['class', 'positives', 'AP', 'ROC area', 'ECE', 'best F1', example === 'row' ? 'at p' : 'at logit', ...losses.map(nameOf)],
    rows: listed.map((c) => {
      const { rate, averagePrecision, rocAuc, calibrationError, thresholds } = classes[c]
      const best = thresholds?.bestF1
      const at = (example === 'row' ? best?.probability : best?.logit) ?? null
      return [String(c), share(rate), fixed(averagePrecision), fixed(rocAuc), share(calibrationError), fixed(best?.f1 ?? null), number(at), ...losses.map((one) => share(one.classes?.[c].all.gradientShare ?? null))]
    }),
    left: 0,
  }
}

function meanScoreOf({ reliability, count }: Figures): number {
  return count === 0 ? 0 : reliability.reduce((sum, bin) => sum + bin.count * (bin.meanScore ?? 0), 0) / count
}

function fixed(value: number | null): string {
  return value === null ? '-' : value.toFixed(3)
}

function share(value: number | null): string {
  return value === null ? '-' : percent(value)
}

function number(value: number | null): string {
  if (value === null) return '-'
  return value !== 0 && Math.abs(value) < 1e-3 ? value.toExponential(1) : significant(value)
}

/** Everything as tables of text, to be printed and to be put into the page. */
export function evaluatedTables(explained: EvaluatedFiles): TextTables {
  const { notes, summary, tables } = tablesOf(explained)
  return { notes: [...notes, explained.reading], summary, tables: [...tables, ...evaluationTables(explained)] }
}
