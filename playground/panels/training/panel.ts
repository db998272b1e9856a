/** Three losses trained side by side in a worker, and four ways to use them compared. */
import { kernelName } from '../../app/kernel.js'
import { ownWorker } from '../../app/own_worker.js'
import { choice, createStore, flag, number, type Store } from '../../app/store.js'
import { button, checkbox, type Control, radios, select, slider } from '../../ui/controls.js'
import { h } from '../../ui/dom.js'
import { table } from '../../ui/table.js'
import { onTheme } from '../../ui/theme.js'
import { precisionRecall } from './precision_recall.js'
import { probeTable, surfaceOf } from './probe.js'
import { type Command, LAST_STEP, type Settings, type Snapshot } from './protocol.js'
import { resultsTable, verdict } from './results.js'
import { surfaceView } from './surface.js'
import { columns, lossesOf } from './variants.js'

const rates = ['0.01', '0.003', '0.03'] as const
const speeds = ['100', '10', 'fastest'] as const

interface Choices {
  readonly seed: number
  readonly ratio: number
  readonly gamma: number
  readonly balanced: boolean
  readonly alpha: number
  readonly rate: (typeof rates)[number]
  readonly atPrior: boolean
  readonly speed: (typeof speeds)[number]
  readonly show: 'score' | 'calibrated'
  readonly x: number
  readonly y: number
  /** The recall at which the curves are read. */
  readonly recall: number
}

const parameters = {
  seed: number(1, 1, 50, 1),
  ratio: number(30, 2, 200, 1),
  gamma: number(2, 0, 5, 0.1),
  balanced: flag(true),
  alpha: number(0.25, 0.01, 0.99, 0.01),
  rate: choice(...rates),
  atPrior: flag(true),
  speed: choice(...speeds),
  show: choice<Choices['show']>('score', 'calibrated'),
  x: number(1.1, -3, 3, 0.1),
  y: number(0.9, -3, 3, 0.1),
  recall: number(0.5, 0.01, 1, 0.01),
}

export function trainingPanel(body: HTMLElement): void {
  const store = createStore<Choices>('training', parameters)
  const worker = ownWorker()
  const send = (command: Command) => worker.postMessage(command)
  let snapshot: Snapshot | undefined

  const start = button('training-start', 'Start', () => send(snapshot?.running === true ? { kind: 'pause' } : { kind: 'run', speed: speedOf(store.values) }), 'primary')
  const step = button('training-step', 'One step', () => send({ kind: 'step' }))
  const reset = button('training-reset', 'Reset', () => send({ kind: 'reset', settings: settingsOf(store.values) }))
  const progress = h('output', { id: 'training-step-count', class: 'value' })
  const controls = controlsOf(store)
  const surfaces = columns.map(({ id, name }) => surfaceView(`training-surface-${id}`, name, (x, y) => store.set({ x, y })))
  const curve = precisionRecall((recall) => store.set({ recall: Math.max(0.01, Math.round(100 * recall) / 100) }))
  const results = table('training-results', 'even')
  const probe = table('training-probe', 'even')
  const words = h('p', { class: 'lesson', id: 'training-verdict' })
  body.append(
    h('div', { class: 'controls' }, h('div', { class: 'buttons' }, start, step, reset, progress), ...controls.learning),
    h(
      'div',
      { class: 'stage' },
      h('div', { class: 'surfaces' }, ...surfaces.map(({ element }) => element)),
      h('div', { class: 'row' }, ...controls.looking),
      probe.element,
      h('div', { class: 'pair spaced' }, h('div', {}, curve.element, controls.reading), h('div', {}, words, curve.readings)),
    ),
    h('div', { class: 'below' }, results.element),
  )

  const draw = () => {
    if (snapshot === undefined) return
    const { values } = store
    const losses = lossesOf(settingsOf(values))
    columns.forEach((column, i) => surfaces[i].show(surfaceOf(column, snapshot as Snapshot, losses[column.of], values)))
    probe.show(probeTable(snapshot, losses, values))
    curve.show(snapshot, values.recall)
  }
  worker.onmessage = ({ data }: MessageEvent<Snapshot>) => {
    snapshot = data
    start.textContent = data.running ? 'Pause' : 'Start'
    start.disabled = step.disabled = data.step >= LAST_STEP
    progress.textContent = `${data.step} of ${LAST_STEP} steps`
    results.show(resultsTable(data))
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
    // Other settings are another training; another speed or view is the same one
    const next = JSON.stringify(settingsOf(values))
    if (next !== settings) send({ kind: 'reset', settings: settingsOf(values) })
    else if (values.speed !== speed && snapshot?.running === true) send({ kind: 'run', speed: speedOf(values) })
    settings = next
    speed = values.speed
    draw()
  })
  onTheme(() => surfaces.forEach((surface) => surface.repaint()))
}

function settingsOf({ seed, ratio, gamma, balanced, alpha, rate, atPrior }: Choices): Settings {
  return { seed, ratio, gamma, alpha: balanced ? alpha : null, rate: Number(rate), startAtPrior: atPrior, backend: kernelName() }
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
    learning: [
      of('speed', select<Choices['speed']>({ id: 'training-speed', label: 'Speed', options: [{ value: '10', label: '10 steps a second' }, { value: '100', label: '100 steps a second' }, { value: 'fastest', label: 'as fast as it goes' }], changed: (speed) => store.set({ speed }) })),
      sliderOf('ratio', 'Negatives to each positive', String),
      sliderOf('gamma', 'Gamma of focal loss, γ', String),
      of('balanced', checkbox({ id: 'training-balanced', label: 'Weigh positives by alpha, α', changed: (balanced) => store.set({ balanced }) })),
      sliderOf('alpha', 'Alpha, α', String),
      of('rate', select<Choices['rate']>({ id: 'training-rate', label: 'Learning rate of Adam', hint: 'The same for all. No one rate is fair to every loss, so try others.', options: ['0.003', '0.01', '0.03'].map((value) => ({ value: value as Choices['rate'], label: value })), changed: (rate) => store.set({ rate }) })),
      of('atPrior', checkbox({ id: 'training-atPrior', label: 'Start at the prior (last bias)', changed: (atPrior) => store.set({ atPrior }) })),
      sliderOf('seed', 'Seed of data, weights and batches', String),
    ],
    reading: sliderOf('recall', 'Read the curves at a recall of', (value) => value.toFixed(2)),
    looking: [
      of('show', radios<Choices['show']>({ id: 'training-show', label: 'Colour shows', options: [{ value: 'score', label: 'the score' }, { value: 'calibrated', label: 'the calibrated probability' }], changed: (show) => store.set({ show }) })),
      sliderOf('x', 'Probe, across', (value) => value.toFixed(1)),
      sliderOf('y', 'Probe, up', (value) => value.toFixed(1)),
    ],
  }
}
