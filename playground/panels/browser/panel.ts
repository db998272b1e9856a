/** How fast each backend is in the reader's own browser. */
import { backends } from 'focal-loss'
import type { Shared } from '../../app/lazy.js'
import { choice, number } from '../../app/store.js'
import { type BenchCase, cases, type Dtype } from '../../../src/cli/bench/cases.js'
import type { Measurement } from '../../../src/cli/bench/result.js'
import { reasonOf } from '../../../src/errors.js'
import { legend } from '../../chart/legend.js'
import { lineChart } from '../../chart/line_chart.js'
import { button, controlsOfPanel, radios, select, slider } from '../../ui/controls.js'
import { codeBox, copyButton } from '../../ui/code.js'
import { h } from '../../ui/dom.js'
import { percent, significant } from '../../ui/format.js'
import { table } from '../../ui/table.js'
import { browserCode } from './code.js'
import { measureHere, SIZES } from './measured.js'
import { chartOf, gainOf, lookOfBackend, namesOf, tableOf, textOf } from './result.js'

interface Choices {
  readonly loss: string
  readonly dtype: Dtype
  /** Which of the sizes is read. */
  readonly at: number
}

const names = cases.map(({ name }) => name)
const parameters = {
  loss: choice<string>(names[0], ...names.slice(1)),
  dtype: choice<Dtype>('float32', 'float64'),
  at: number(SIZES.length - 1, 0, SIZES.length - 1, 1),
}

export function browserPanel(body: HTMLElement, { createStore }: Shared): void {
  const store = createStore<Choices>('browser', parameters)
  let measurements: readonly Measurement[] = []
  const loss = select<string>({ id: 'browser-loss', label: 'Loss', options: cases.map(({ name, title }) => ({ value: name, label: title })), changed: (value) => store.set({ loss: value }) })
  const dtype = radios<Dtype>({ id: 'browser-dtype', label: 'Logits', options: (['float32', 'float64'] as const).map((value) => ({ value, label: value })), changed: (value) => store.set({ dtype: value }) })
  const at = slider({ id: 'browser-at', label: 'Read the lines at', ...parameters.at, format: (i) => `${significant(SIZES[i])} logits`, changed: (value) => store.set({ at: value }) })
  const status = h('p', { class: 'lesson', id: 'browser-status', role: 'status' }, 'Nothing is measured yet: it takes a few seconds, and works the processor.')
  const problem = h('p', { class: 'problem', id: 'browser-problem', role: 'alert' })
  const chart = lineChart('browser-chart', 'Loss and gradient: the lower, the faster', (x) => store.set({ at: nearest(x) }), 320)
  const readings = legend('browser-readings', 'backend')
  const results = table('browser-results')
  const text = h('textarea', { id: 'browser-text', readonly: true, rows: 10, 'aria-label': 'The result as text', spellcheck: 'false' })
  const copy = copyButton('browser-copy-result', 'Copy the result', text)
  const code = codeBox('browser')
  const passOn = h('div', { class: 'copy', hidden: true }, text, copy)

  const draw = () => {
    const place = store.values.at
    chart.show(chartOf(measurements, SIZES[place]))
    const rows = namesOf(measurements).map((name) => {
      const row = measurements.find(({ who, elements }) => who === name && elements === SIZES[place])
      return { name, look: lookOfBackend(name), values: row === undefined ? ['', ''] : [significant(row.nanosecondsPerElement), significant(row.secondsPerCall.median * 1e3)] }
    })
    if (rows.length > 0) readings.show(`Read at ${significant(SIZES[place])} logits a call, medians`, ['ns per logit', 'ms per call'], rows)
  }
  const measureAll = async () => {
    const { loss: name, dtype: type } = store.values
    const benchCase = caseOf(name)
    run.disabled = passOn.hidden = true
    problem.textContent = text.value = ''
    try {
      for await (const progress of measureHere(benchCase, type)) {
        measurements = [...progress.measurements]
        status.textContent = `Measuring ${significant(progress.elements)} logits: ${percent(progress.share)}.`
        draw()
      }
      results.show(tableOf(measurements, `${benchCase.title}, ${type}`))
      text.value = textOf(measurements, benchCase, type)
      status.textContent = verdictOf(measurements)
      passOn.hidden = false
    } catch (error) {
      problem.textContent = `${reasonOf(error)}.`
      status.textContent = 'Nothing is timed where a result is wrong.'
    }
    run.disabled = false
  }
  const run = button('browser-run', 'Measure', () => void measureAll(), 'primary')
  body.append(
    controlsOfPanel({ kept: h('div', { class: 'buttons' }, run), more: [loss.element, dtype.element, backendList()] }),
    h('div', { class: 'stage' }, status, problem, chart.element, at.element, readings.element),
    h('div', { class: 'below' }, results.element, passOn),
    code.element,
  )
  store.watch((values) => {
    loss.show(values.loss)
    dtype.show(values.dtype)
    at.show(values.at)
    code.show(browserCode(values.dtype, SIZES[values.at]))
    draw()
  })
}

function caseOf(name: string): BenchCase {
  return cases.find((one) => one.name === name) ?? cases[0]
}

/** Which size is nearest on the logarithmic axis. */
function nearest(elements: number): number {
  const distance = (i: number) => Math.abs(Math.log(SIZES[i] / elements))
  return SIZES.reduce((best, _, i) => (distance(i) < distance(best) ? i : best), 0)
}

function backendList(): HTMLElement {
  const items = backends()
    .filter(({ name }) => name === 'wasm' || name === 'js')
    .map(({ name, available, description, reason }) => h('li', {}, h('b', {}, name), `: ${available ? description : reason}`))
  return h('ul', { class: 'hint backends', id: 'browser-backends' }, ...items)
}

function verdictOf(measurements: readonly Measurement[]): string {
  const gain = gainOf(measurements)
  const checked = 'Every sum and gradient was compared with the double-precision reference before it was timed.'
  return gain === undefined ? checked : `On 800,000 logits the WebAssembly kernel is ${significant(gain.times)} times as fast as ${gain.against} here. ${checked}`
}
