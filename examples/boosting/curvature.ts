/** Which second derivative to give the real XGBoost and LightGBM: starts and curvatures, on rare positives and on several classes. See README.md. */
import { evaluate, type HessCall, SigmoidFocalLoss, SoftmaxFocalLoss } from 'focal-loss'
import { Random } from '../cell-detector/random.js'
import { formatTable } from '../cell-detector/tables.js'
import { type Dataset, drawData } from './data.js'
import type { Booster, Derivatives, Training } from './booster.js'
import { loadLightGBM } from './lightgbm.js'
import { loadXGBoost } from './xgboost.js'

const SEEDS = 10
const ROWS = 3000
const ROUNDS = 40
const RATE = 0.15
const DEPTH = 3
/** A leaf that moves its rows by more logits than this has run away. */
const RUNAWAY = 20

type Options = Pick<HessCall<Float32Array>, 'clampHess' | 'curvature' | 'maxStep'>

const treatments: readonly { readonly name: string; readonly options: Options; readonly absolute?: boolean }[] = [
  { name: 'exact, clamped at 1e-4', options: { clampHess: 1e-4 } },
  { name: 'exact, maxStep 2', options: { clampHess: 1e-4, maxStep: 2 } },
  { name: 'expected', options: { curvature: 'expected', clampHess: 1e-4 } },
  { name: 'expected, maxStep 2', options: { curvature: 'expected', clampHess: 1e-4, maxStep: 2 } },
  { name: 'absolute gradient', options: {}, absolute: true },
]

interface Task {
  readonly loss: SigmoidFocalLoss<'sum'> | SoftmaxFocalLoss<'sum'>
  readonly classes: number
  readonly train: Dataset
  readonly test: Dataset
  readonly labels: (data: Dataset) => Int32Array
}

/** Three classes: negatives, and positives by the sign of the first column. */
function tasksOf(seed: number): readonly [name: string, Task][] {
  const random = new Random(seed)
  const [train, test] = [drawData(ROWS, random), drawData(ROWS, random)]
  const ofThree = ({ labels, columns }: Dataset) => Int32Array.from(labels, (y, r) => (y === 0 ? 0 : columns[0][r] > 0 ? 1 : 2))
  return [
    ['binary', { loss: new SigmoidFocalLoss({ gamma: 2, alpha: null, reduction: 'sum' }), classes: 1, train, test, labels: ({ labels }) => Int32Array.from(labels) }],
    ['three classes', { loss: new SoftmaxFocalLoss({ gamma: 2, reduction: 'sum' }), classes: 3, train, test, labels: ofThree }],
  ]
}

function startsOf({ loss, classes, train, labels }: Task): readonly [name: string, base: ArrayLike<number>][] {
  const own = labels(train)
  const share = (c: number) => Math.max(1, own.filter((y: number) => y === c).length) / own.length
  if (loss instanceof SigmoidFocalLoss) return [['priorBias', [loss.priorBias(share(1))]], ['log-odds', [Math.log(share(1) / (1 - share(1)))]]]
  const shares = Array.from({ length: classes }, (_, c) => share(c))
  const whole = shares.reduce((a, b) => a + b)
  return [['priorBias', loss.priorBias(shares.map((each) => each / whole))], ['log-odds', shares.map(Math.log)]]
}

function run(booster: Booster, task: Task, base: ArrayLike<number>, { options, absolute }: (typeof treatments)[number]): [precision: number, logLoss: number, longest: number] {
  const { loss, classes, train, test } = task
  const layout = booster.classAxis === 0 ? { shape: [classes, ROWS], classAxis: 0 } : { shape: [ROWS, classes] }
  const [rowStep, classStep] = booster.classAxis === 0 ? [1, ROWS] : [classes, 1]
  const own = task.labels(train)
  const objective = (margins: Float32Array): Derivatives => {
    if (absolute !== true) return loss.valueGradAndHess(margins, own, { ...layout, ...options })
    const { grad } = loss.valueAndGrad(margins, own, layout)
    return { grad, hess: grad.map((each) => Math.max(1e-4, Math.abs(each))) }
  }
  let last = new Float32Array(0)
  const training: Training = { rounds: ROUNDS, rate: RATE, depth: DEPTH, classes, base }
  const longest = booster.train(train, test, training, objective, (margins) => (last = Float32Array.from(margins)))
  const p = loss.toProbability(Float64Array.from(last), layout)
  const truth = task.labels(test)
  // That of a positive, whichever it is
  const positive = Float64Array.from({ length: ROWS }, (_, r) => (classes === 1 ? p[r] : 1 - p[r * rowStep]))
  const { averagePrecision } = evaluate(positive.map((each) => Math.log(Math.max(each, 1e-300)) - Math.log1p(-Math.min(each, 1 - 1e-16))), test.labels, { loss: new SigmoidFocalLoss({ gamma: 0, alpha: null }) }).raw
  const ofTruth = (r: number) => (classes === 1 ? (truth[r] === 1 ? p[r] : 1 - p[r]) : p[r * rowStep + truth[r] * classStep])
  let logLoss = 0
  for (let r = 0; r < ROWS; r++) logLoss -= Math.log(Math.max(ofTruth(r), 1e-15)) / ROWS
  return [averagePrecision ?? 0, logLoss, longest]
}

function compare(booster: Booster): void {
  const results = new Map<string, [number, number, number][]>()
  for (let seed = 1; seed <= SEEDS; seed++) {
    for (const [name, task] of tasksOf(seed)) {
      for (const [start, base] of startsOf(task)) {
        for (const treatment of treatments) {
          const key = `${name}|${start}|${treatment.name}`
          results.set(key, [...(results.get(key) ?? []), run(booster, task, base, treatment)])
        }
      }
    }
  }
  const mean = (of: readonly number[]) => of.reduce((a, b) => a + b, 0) / of.length
  const rows = Array.from(results, ([key, runs]) => {
    const [task, start, second] = key.split('|')
    const longest = Math.max(...runs.map(([, , each]) => each))
    const ran = runs.filter(([, , each]) => each > RUNAWAY).length
    return [task, start, second, mean(runs.map(([each]) => each)).toFixed(3), mean(runs.map(([, each]) => each)).toFixed(4), longest.toPrecision(3), `${ran} of ${runs.length}`]
  })
  console.log(`${booster.name}\n\n${formatTable({ head: ['task', 'start', 'second derivative', 'average precision', 'log loss, calibrated', 'longest step of a row', 'seeds with one above 20'], rows })}`)
}

for (const booster of [await loadXGBoost(), await loadLightGBM()]) {
  if (typeof booster === 'string') console.log(booster)
  else compare(booster)
}
