/** Explains logits and targets that the reader gives. */
import type { Shared } from '../../app/lazy.js'
import { choice, flag, number, someOf, type Store } from '../../app/store.js'
import { explainChart } from '../../../src/cli/explain/chart.js'
import { type TextTables, tablesOf } from '../../../src/cli/explain/tables.js'
import { reasonOf } from '../../../src/errors.js'
import { button, checkbox, controlsOfPanel, numberChecks, radios, select, slider } from '../../ui/controls.js'
import { codeBox } from '../../ui/code.js'
import { h } from '../../ui/dom.js'
import { download } from '../../ui/download.js'
import { percent } from '../../ui/format.js'
import { type Table, table } from '../../ui/table.js'
import { explainCharts, type Share } from './charts.js'
import { chooseFiles } from './choose_files.js'
import { exampleFiles } from './example.js'
import { type ExplainChoices, explainGiven, type Judged } from './explained.js'
import type { Given } from './given_files.js'
import { numbersCode } from './code.js'
import { filePicker } from './picker.js'
import { thresholdCharts } from './thresholds.js'

const GAMMAS = [0, 0.5, 1, 2, 5]
const backgrounds = ['none', 'num-classes', '-1', '0'] as const
const ignored = ['none', '-1', '255', '-100'] as const

interface Choices {
  readonly loss: 'sigmoid' | 'softmax'
  readonly gammas: readonly number[]
  readonly balanced: boolean
  readonly alpha: number
  readonly background: (typeof backgrounds)[number]
  readonly ignore: (typeof ignored)[number]
  readonly share: Share
  readonly at: number
  /** The loss that the model was trained with. */
  readonly trainedGamma: number
  readonly trainedBalanced: boolean
  readonly trainedAlpha: number
  readonly threshold: number
}

const parameters = {
  loss: choice<Choices['loss']>('sigmoid', 'softmax'),
  gammas: someOf(GAMMAS, GAMMAS),
  balanced: flag(false),
  alpha: number(0.25, 0.01, 0.99, 0.01),
  background: choice(...backgrounds),
  ignore: choice(...ignored),
  share: choice<Share>('lossShare', 'gradientShare'),
  at: number(0.9, 0, 1, 0.01),
  trainedGamma: number(2, 0, 5, 0.1),
  trainedBalanced: flag(true),
  trainedAlpha: number(0.25, 0.01, 0.99, 0.01),
  threshold: number(0.5, 0.01, 0.99, 0.01),
}

export function numbersPanel(body: HTMLElement, { createStore, kernelName }: Shared): void {
  const store = createStore<Choices>('numbers', parameters)
  let given: Given = exampleFiles()
  let judged: Judged | undefined
  let asked = ''
  const problem = h('p', { class: 'problem', id: 'numbers-problem', role: 'alert' })
  const summary = h('p', { class: 'lesson', id: 'numbers-summary', role: 'status' })
  const charts = explainCharts((x) => store.set({ at: Math.round(100 * x) / 100 }))
  const thresholds = thresholdCharts((x) => store.set({ threshold: Math.min(0.99, Math.max(0.01, Math.round(100 * x) / 100)) }))
  const code = codeBox('numbers')
  const tables = ['totals', 'loss', 'gradient', 'hardest'].map((name) => table(`numbers-${name}`))
  const draw = () => {
    if (judged === undefined) return
    const { explained, evaluation } = judged
    const { notes, summary: words, tables: content } = tablesOf(explained)
    summary.textContent = [...notes, words].map((sentence) => `${sentence}.`).join(' ')
    charts.show(explained, store.values.share, store.values.at)
    thresholds.show(evaluation, store.values.threshold)
    showTables(tables, content)
  }
  const explain = async () => {
    const key = (asked = JSON.stringify(choicesOf(store.values)) + String(performance.now()))
    problem.textContent = ''
    try {
      const next = await explainGiven(given, choicesOf(store.values), kernelName(), (share) => {
        if (share < 1) summary.textContent = `Reading ${given.logits.name}: ${percent(share)}.`
      })
      // Another question may have been asked meanwhile
      if (key !== asked) return
      judged = next
    } catch (error) {
      if (key === asked) problem.textContent = sentenceOf(error)
    }
    draw()
  }
  const take = (files: readonly File[]) => {
    problem.textContent = ''
    try {
      const chosen = chooseFiles(files)
      if ('incomplete' in chosen) {
        problem.textContent = chosen.incomplete
        return
      }
      given = chosen.given
      void explain()
    } catch (error) {
      problem.textContent = sentenceOf(error)
    }
  }
  const back = button('numbers-example', 'Show the example', () => {
    given = exampleFiles()
    void explain()
  })
  const saves = [
    button('numbers-svg', 'Download the chart (SVG)', () => judged !== undefined && download('explain.svg', 'image/svg+xml', explainChart(judged.explained))),
    button('numbers-json', 'Download all numbers (JSON)', () => judged !== undefined && download('explain.json', 'application/json', `${JSON.stringify(judged.explained, null, 2)}\n`)),
  ]
  const controls = controlsOf(store)
  const at = slider({ id: 'numbers-at', label: 'Read the curves at this share of the examples', ...parameters.at, format: percent, changed: (value) => store.set({ at: value }) })
  const threshold = slider({ id: 'numbers-threshold', label: 'Positive from a probability of', ...parameters.threshold, format: (value) => value.toFixed(2), changed: (value) => store.set({ threshold: value }) })
  body.append(
    controlsOfPanel({ first: [filePicker(take), back], kept: controls.gammas, more: controls.elements }),
    h('div', { class: 'stage' }, problem, summary, charts.curves, at.element, charts.readings, charts.bins, h('h3', { class: 'spaced' }, 'Decision threshold'), h('p', { class: 'hint gap' }, 'Move the threshold. A recalibrated 0.5 is a probability of one half; a raw score of 0.5 need not be. The reliability diagram leaves out bins with fewer than 5 examples.'), threshold.element, thresholds.element, thresholds.readings, h('div', { class: 'buttons spaced' }, ...saves)),
    h(
      'div',
      { class: 'below tables' },
      tables[0].element,
      h('details', { id: 'numbers-details' }, h('summary', {}, 'Shares by pₜ, and the hardest examples, as tables'), ...tables.slice(1).map(({ element }) => element)),
      exampleWords(),
    ),
    code.element,
  )
  let explainedFor = ''
  store.watch((values) => {
    controls.show(values)
    at.show(values.at)
    threshold.show(values.threshold)
    code.show(numbersCode(choicesOf(values)))
    const next = JSON.stringify(choicesOf(values))
    if (next === explainedFor) draw()
    else void explain()
    explainedFor = next
  })
}

function choicesOf({ loss, gammas, balanced, alpha, background, ignore, trainedGamma, trainedBalanced, trainedAlpha }: Choices): ExplainChoices {
  return {
    loss,
    gammas: gammas.length === 0 ? [0] : gammas,
    alpha: balanced ? alpha : null,
    background: background === 'none' ? null : background === 'num-classes' ? background : Number(background),
    ignoreIndex: ignore === 'none' ? null : Number(ignore),
    trained: { gamma: trainedGamma, alpha: trainedBalanced ? trainedAlpha : null },
  }
}

function controlsOf(store: Store<Choices>) {
  const gammas = numberChecks({ id: 'numbers-gammas', label: 'Compare focal loss with γ', options: GAMMAS, changed: (chosen) => store.set({ gammas: chosen }) })
  const balanced = checkbox({ id: 'numbers-balanced', label: 'Alpha balancing, α', changed: (on) => store.set({ balanced: on }) })
  const alpha = slider({ id: 'numbers-alpha', label: 'Alpha, α', ...parameters.alpha, format: String, changed: (value) => store.set({ alpha: value }) })
  const loss = radios<Choices['loss']>({ id: 'numbers-loss', label: 'Logits to probabilities by', options: [{ value: 'sigmoid', label: 'sigmoid' }, { value: 'softmax', label: 'softmax' }], changed: (value) => store.set({ loss: value }) })
  const background = select<Choices['background']>({ id: 'numbers-background', label: 'Background index (no class)', options: backgrounds.map((value) => ({ value, label: value === 'num-classes' ? 'the number of classes' : value })), changed: (value) => store.set({ background: value }) })
  const ignore = select<Choices['ignore']>({ id: 'numbers-ignore', label: 'Ignore index', options: ignored.map((value) => ({ value, label: value })), changed: (value) => store.set({ ignore: value }) })
  const share = radios<Share>({ id: 'numbers-share', label: 'By pₜ, show the share of', options: [{ value: 'lossShare', label: 'the loss' }, { value: 'gradientShare', label: 'the gradient' }], changed: (value) => store.set({ share: value }) })
  const trainedGamma = slider({ id: 'numbers-trainedGamma', label: 'The model was trained with γ', ...parameters.trainedGamma, format: String, changed: (value) => store.set({ trainedGamma: value }) })
  const trainedBalanced = checkbox({ id: 'numbers-trainedBalanced', label: 'and with alpha balancing', changed: (on) => store.set({ trainedBalanced: on }) })
  const trainedAlpha = slider({ id: 'numbers-trainedAlpha', label: 'of α', ...parameters.trainedAlpha, format: String, changed: (value) => store.set({ trainedAlpha: value }) })
  return {
    gammas: gammas.element,
    elements: [balanced, alpha, share, trainedGamma, trainedBalanced, trainedAlpha, loss, background, ignore].map(({ element }) => element),
    show(values: Choices) {
      gammas.show(values.gammas)
      balanced.show(values.balanced)
      alpha.show(values.alpha)
      alpha.disable(!values.balanced)
      loss.show(values.loss)
      background.show(values.background)
      ignore.show(values.ignore)
      share.show(values.share)
      trainedGamma.show(values.trainedGamma)
      trainedBalanced.show(values.trainedBalanced)
      trainedAlpha.show(values.trainedAlpha)
      trainedAlpha.disable(!values.trainedBalanced)
    },
  }
}

function showTables(tables: readonly Table[], content: TextTables['tables']): void {
  tables.forEach((one, i) => {
    if (i < content.length) one.show({ caption: content[i].title, head: content[i].head, rows: content[i].rows })
    else one.element.hidden = true
  })
}

function exampleWords(): HTMLElement {
  return h(
    'p',
    { class: 'hint' },
    'The example: 19,200 cells of four synthetic micrographs, scored by a small detector trained with focal loss. It was made with npm start -- --images 20 --epochs 30, which writes logits.npy and targets.npy.',
  )
}

/** Errors have no full stop, as they stand in a terminal. */
function sentenceOf(error: unknown): string {
  return `${reasonOf(error)}.`
}
