/** Four losses trained side by side in a worker, and evaluated in the same way. */
import type { BackendName } from 'focal-loss'
import type { Shared } from '../../app/lazy.js'
import { ownWorker } from '../../app/own_worker.js'
import { choice, flag, number, type Store } from '../../app/store.js'
import { button, checkbox, type Control, controlsOfPanel, radios, select, slider } from '../../ui/controls.js'
import { codeBox } from '../../ui/code.js'
import { h } from '../../ui/dom.js'
import { table } from '../../ui/table.js'
import { onTheme } from '../../ui/theme.js'
import { barChart } from '../../chart/bar_chart.js'
import { swatch } from '../../chart/series.js'
import { trainingCode } from './code.js'
import { labelledPriorOf } from './data.js'
import { type DataName, dataNames, dataSets } from './data_sets.js'
import type { Cut } from './measures.js'
import { precisionRecall } from './precision_recall.js'
import { probeTable, surfaceOf } from './probe.js'
import { type Command, LAST_STEP, type Settings, type Snapshot } from './protocol.js'
import { reliability } from './reliability.js'
import { f1Bars, logLossBars, resultsTable, verdict } from './results.js'
import { surfaceView } from './surface.js'
import { lossesOf, variants } from './variants.js'

const rates = ['0.03', '0.01', '0.003'] as const
const speeds = ['100', '10', 'fastest'] as const

interface Choices {
  readonly data: DataName
  readonly seed: number
  readonly ratio: number
  readonly gamma: number
  readonly balanced: boolean
  readonly alpha: number
  readonly rate: (typeof rates)[number]
  readonly atPrior: boolean
  readonly speed: (typeof speeds)[number]
  /** How every loss decides. */
  readonly cut: Cut
  readonly x: number
  readonly y: number
  /** The recall at which the curves are read. */
  readonly recall: number
}

const parameters = {
  data: choice<DataName>(...dataNames),
  seed: number(1, 1, 50, 1),
  ratio: number(dataSets.few.opensWith.ratio, 1, 200, 1),
  gamma: number(dataSets.few.opensWith.gamma, 0, 5, 0.1),
  balanced: flag(dataSets.few.opensWith.balanced),
  alpha: number(0.25, 0.01, 0.99, 0.01),
  rate: choice(...rates),
  atPrior: flag(true),
  speed: choice(...speeds),
  cut: choice<Cut>('best', 'score', 'recalibrated'),
  x: number(1.1, -3, 3, 0.1),
  y: number(0.9, -3, 3, 0.1),
  recall: number(0.5, 0.01, 1, 0.01),
}

export function trainingPanel(body: HTMLElement, { createStore, kernelName }: Shared): void {
  const store = createStore<Choices>('training', parameters)
  const worker = ownWorker()
  const send = (command: Command) => worker.postMessage(command)
  let snapshot: Snapshot | undefined

  const start = button('training-start', 'Start', () => send(snapshot?.running === true ? { kind: 'pause' } : { kind: 'run', speed: speedOf(store.values) }), 'primary')
  const step = button('training-step', 'One step', () => send({ kind: 'step' }))
  const reset = button('training-reset', 'Reset', () => send({ kind: 'reset', settings: settingsOf(store.values, kernelName()) }))
  const progress = h('output', { id: 'training-step-count', class: 'value' })
  const controls = controlsOf(store)
  const surfaces = variants.map(({ id, name, look }) => surfaceView(`training-surface-${id}`, name, swatch(look), (x, y) => store.set({ x, y })))
  const curve = precisionRecall((recall) => store.set({ recall: Math.max(0.01, Math.round(100 * recall) / 100) }))
  const believed = reliability()
  const bars = { f1: barChart('training-f1', 'F1: the higher, the better'), logLoss: barChart('training-log-loss', 'Log loss: the lower, the better') }
  const results = table('training-results', 'even')
  const probe = table('training-probe', 'even')
  const code = codeBox('training')
  const lesson = h('p', { class: 'lesson', id: 'training-lesson' })
  const words = h('p', { class: 'lesson', id: 'training-verdict' })
  body.append(
    controlsOfPanel({ first: [controls.data, h('div', { class: 'buttons' }, start, step, reset, progress)], kept: controls.gamma, more: controls.learning }),
    h(
      'div',
      { class: 'stage' },
      lesson,
      h('div', { class: 'surfaces' }, ...surfaces.map(({ element }) => element)),
      controls.cut,
      words,
      h('div', { class: 'pair' }, bars.f1.element, bars.logLoss.element, curve.element, believed.element),
      h('div', { class: 'pair' }, h('div', {}, controls.reading, curve.readings), h('div', {}, ...controls.probe, probe.element)),
    ),
    h('div', { class: 'below' }, results.element),
    code.element,
  )

  const draw = () => {
    lesson.textContent = dataSets[store.values.data].lesson
    if (snapshot === undefined) return
    const { values } = store
    const losses = lossesOf(settingsOf(values, kernelName()))
    variants.forEach((variant, i) => surfaces[i].show(surfaceOf(variant, snapshot as Snapshot, losses[variant.id], values)))
    probe.show(probeTable(snapshot, losses, values))
    curve.show(snapshot, values.cut, values.recall)
    believed.show(snapshot, values.cut === 'recalibrated' ? 'recalibrated' : 'score')
  }
  worker.onmessage = ({ data }: MessageEvent<Snapshot>) => {
    snapshot = data
    start.textContent = data.running ? 'Pause' : 'Start'
    start.disabled = step.disabled = data.step >= LAST_STEP
    progress.textContent = `${data.step} of ${LAST_STEP} steps`
    results.show(resultsTable(data))
    bars.f1.show(f1Bars(data))
    bars.logLoss.show(logLossBars(data))
    words.textContent = verdict(data)
    // Read out once it stands still
    words.setAttribute('aria-live', data.running ? 'off' : 'polite')
    draw()
  }
  worker.onerror = () => {
    words.textContent = 'Training runs in a worker, and this browser did not start it; a content security policy must allow worker-src blob:.'
    start.disabled = step.disabled = reset.disabled = true
  }
  let settings = ''
  let speed: Choices['speed'] = store.values.speed
  store.watch((values) => {
    controls.show(values)
    const { gamma, alpha, ratio } = settingsOf(values, kernelName())
    const prior = Number(labelledPriorOf(dataSets[values.data], ratio).toPrecision(3))
    code.show(trainingCode({ gamma, alpha }, prior, lossesOf(settingsOf(values, kernelName())).focal.priorBias(prior)))
    // Other settings are another training; another speed or view is the same one
    const next = JSON.stringify(settingsOf(values, kernelName()))
    if (next !== settings) send({ kind: 'reset', settings: settingsOf(values, kernelName()) })
    else if (values.speed !== speed && snapshot?.running === true) send({ kind: 'run', speed: speedOf(values) })
    settings = next
    speed = values.speed
    draw()
  })
  onTheme(() => surfaces.forEach((surface) => surface.repaint()))
}

function settingsOf({ data, seed, ratio, gamma, balanced, alpha, rate, atPrior }: Choices, backend: BackendName): Settings {
  return { data, seed, ratio, gamma, alpha: balanced ? alpha : null, rate: Number(rate), startAtPrior: atPrior, backend }
}

function speedOf({ speed }: Choices): number | 'fastest' {
  return speed === 'fastest' ? speed : Number(speed)
}

function controlsOf(store: Store<Choices>) {
  const shown: ((values: Choices) => void)[] = []
  const of = <K extends keyof Choices>(name: K, control: Control<Choices[K]>): HTMLElement => {
    shown.push((values) => control.show(values[name]))
    return control.element
  }
  const sliderOf = (name: 'seed' | 'ratio' | 'gamma' | 'alpha' | 'x' | 'y' | 'recall', label: string, format: (value: number) => string, hint?: string) => {
    const control = slider({ id: `training-${name}`, label, hint, ...parameters[name], format, changed: (value) => store.set({ [name]: value }) })
    if (name === 'alpha') shown.push(({ balanced }) => control.disable(!balanced))
    return of(name, control)
  }
  return {
    show: (values: Choices) => shown.forEach((show) => show(values)),
    data: of('data', radios<DataName>({ id: 'training-data', label: 'Data', options: dataNames.map((value) => ({ value, label: dataSets[value].title })), changed: (data) => store.set({ data, ...dataSets[data].opensWith }) })),
    gamma: sliderOf('gamma', 'Gamma of focal loss, γ', String),
    learning: [
      of('balanced', checkbox({ id: 'training-balanced', label: 'Alpha balancing, α', changed: (balanced) => store.set({ balanced }) })),
      sliderOf('alpha', 'Alpha, α', String),
      sliderOf('ratio', 'Negatives to each positive', String),
      of('rate', select<Choices['rate']>({ id: 'training-rate', label: 'Learning rate of Adam', hint: 'The same for all. No one rate is fair to every loss, so try others.', options: rates.map((value) => ({ value, label: value })), changed: (rate) => store.set({ rate }) })),
      of('atPrior', checkbox({ id: 'training-atPrior', label: 'Start at each loss’s priorBias', changed: (atPrior) => store.set({ atPrior }) })),
      sliderOf('seed', 'Seed of data, weights and batches', String),
      of('speed', select<Choices['speed']>({ id: 'training-speed', label: 'Speed', options: [{ value: '10', label: '10 steps a second' }, { value: '100', label: '100 steps a second' }, { value: 'fastest', label: 'as fast as it goes' }], changed: (speed) => store.set({ speed }) })),
    ],
    cut: of('cut', radios<Cut>({ id: 'training-cut', label: 'Decision threshold of every loss', options: [{ value: 'best', label: 'best on validation' }, { value: 'score', label: 'a score of 0.5' }, { value: 'recalibrated', label: 'a recalibrated 0.5' }], changed: (cut) => store.set({ cut }) })),
    reading: sliderOf('recall', 'Read the curves at a recall of', (value) => value.toFixed(2)),
    probe: [sliderOf('x', 'Probe, across', (value) => value.toFixed(1)), sliderOf('y', 'Probe, up', (value) => value.toFixed(1))],
  }
}
