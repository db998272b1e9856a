/** Loss and gradient against the predicted probability of the true class, and four examples worked out. */
import { choice, createStore, flag, number, someOf } from '../../app/store.js'
import { key, legend } from '../../chart/legend.js'
import { lineChart, type Point } from '../../chart/line_chart.js'
import { type Axis, decades, linear } from '../../chart/scale.js'
import { checkbox, controlsOfPanel, numberChecks, radios, slider } from '../../ui/controls.js'
import { h } from '../../ui/dom.js'
import { decimals, percent } from '../../ui/format.js'
import { table } from '../../ui/table.js'
import { codeBox } from '../../ui/code.js'
import { curveCode } from './code.js'
import { examplesTable } from './examples.js'
import { curveLosses, type CurveOptions, evaluate, type Evaluated, rest, type Side, unreduced } from './losses.js'

interface Choices extends CurveOptions {
  readonly side: Side
  readonly scale: 'linear' | 'log'
  /** The p_t that is read. */
  readonly at: number
}

const COMPARED = [0.5, 1, 2, 5]
const parameters = {
  gamma: number(2, 0, 5, 0.1),
  balanced: flag(false),
  alpha: number(0.25, 0.01, 0.99, 0.01),
  weight: number(0.8, 0.01, 0.99, 0.01),
  compared: someOf([0.5, 1, 5], COMPARED),
  side: choice<Side>('positive', 'negative'),
  scale: choice<Choices['scale']>('linear', 'log'),
  at: number(0.6, 0.01, 0.99, 0.01),
}

const TRUTHS = Array.from({ length: 199 }, (_, i) => (i + 1) / 200)
const xAxis = linear('pₜ, predicted probability of the true class', 0, 1, 0.2)
const axes = {
  linear: { losses: linear('loss', 0, 5, 1), gradients: linear('|gradient|', 0, 1.5, 0.5) },
  log: { losses: decades('loss', -6, 1), gradients: decades('|gradient|', -6, 1) },
} as const satisfies Record<string, Record<keyof Evaluated, Axis>>

export function curvePanel(body: HTMLElement): void {
  const store = createStore<Choices>('curve', parameters)
  const read = (x: number) => store.set({ at: Math.min(0.99, Math.max(0.01, Math.round(x * 100) / 100)) })
  const gamma = slider({ id: 'curve-gamma', label: 'Your gamma, γ', ...parameters.gamma, format: String, hint: 'How strongly well-classified examples are down-weighted. 0 is cross entropy.', changed: (value) => store.set({ gamma: value }) })
  const balanced = checkbox({ id: 'curve-balanced', label: 'Alpha balancing, α', changed: (on) => store.set({ balanced: on }) })
  const alpha = slider({ id: 'curve-alpha', label: 'Alpha, α', ...parameters.alpha, format: (value) => `${value} / ${rest(value)}`, changed: (value) => store.set({ alpha: value }) })
  const weight = slider({ id: 'curve-weight', label: 'Class weights', ...parameters.weight, format: (value) => `${value} / ${rest(value)}`, hint: 'Positives / negatives, for weighted cross entropy.', changed: (value) => store.set({ weight: value }) })
  const compared = numberChecks({ id: 'curve-compared', label: 'Also show focal loss with γ', options: COMPARED, changed: (values) => store.set({ compared: values }) })
  const side = radios<Side>({ id: 'curve-side', label: 'The example is', options: [{ value: 'positive', label: 'a positive' }, { value: 'negative', label: 'a negative' }], changed: (value) => store.set({ side: value }) })
  const scale = radios<Choices['scale']>({ id: 'curve-scale', label: 'Vertical axes', options: [{ value: 'linear', label: 'linear' }, { value: 'log', label: 'logarithmic' }], changed: (value) => store.set({ scale: value }) })
  const at = slider({ id: 'curve-at', label: 'Read the curves at pₜ', ...parameters.at, format: (value) => value.toFixed(2), changed: (value) => store.set({ at: value }) })
  const charts = { losses: lineChart('curve-loss', 'Loss', read, 240), gradients: lineChart('curve-gradient', 'Gradient: d loss / d logit', read, 240) }
  const readings = legend('curve-readings')
  const lines = key()
  const examples = table('curve-examples')
  const lesson = h('p', { class: 'lesson', id: 'curve-lesson' })

  const code = codeBox('curve')
  body.append(
    controlsOfPanel({ kept: gamma.element, more: [balanced.element, alpha.element, weight.element, compared.element, side.element, scale.element] }),
    h('div', { class: 'stage with-legend' }, h('div', {}, lines.element, charts.losses.element), h('div', { class: 'legend-beside' }, at.element, readings.element), charts.gradients.element),
    h('div', { class: 'below' }, h('h3', {}, 'Worked examples'), examples.element, lesson),
    code.element,
  )
  store.watch((values) => {
    for (const [control, value] of [[gamma, values.gamma], [alpha, values.alpha], [weight, values.weight], [at, values.at]] as const) control.show(value)
    balanced.show(values.balanced)
    alpha.disable(!values.balanced)
    compared.show(values.compared)
    side.show(values.side)
    scale.show(values.scale)
    lines.show(curveLosses(values))
    showCurves(values, charts, readings)
    examples.show(examplesTable(values, values.side))
    lesson.textContent = lessonOf(values)
    code.show(curveCode(values, values.side, values.at, (prior) => unreduced({ gamma: values.gamma, alpha: values.balanced ? values.alpha : null }).priorBias(prior)))
  })
}

function showCurves(values: Choices, charts: Readonly<Record<keyof Evaluated, ReturnType<typeof lineChart>>>, readings: ReturnType<typeof legend>): void {
  const { side, scale, at } = values
  const drawn = curveLosses(values).map((one) => ({ ...one, all: evaluate(one.loss, TRUTHS, side), here: evaluate(one.loss, [at], side) }))
  for (const what of ['losses', 'gradients'] as const) {
    charts[what].show({
      x: xAxis,
      y: axes[scale][what],
      series: drawn.map(({ name, look, all }) => ({ name, look, points: TRUTHS.map((truth, i): Point => [truth, all[what][i]]) })),
      at,
      summary: `At p_t ${at}: ${drawn.map(({ name, here }) => `${name} ${decimals(here[what][0])}`).join('; ')}.`,
    })
  }
  const rows = drawn.map(({ name, look, here }) => ({ name, look, values: [decimals(here.losses[0]), decimals(here.gradients[0])] }))
  readings.show(`Read at pₜ = ${at.toFixed(2)}, for a ${side}`, ['loss', '|gradient|'], rows)
}

/** What gamma 1 does to a hard and to an easy example, and what the reader's own does. */
function lessonOf(values: Choices): string {
  const { side } = values
  const losses = curveLosses({ ...values, compared: [1], balanced: false })
  const [plain, , one, yours] = losses.map(({ loss }) => evaluate(loss, [0.1, 0.9], side).losses)
  const off = (loss: Float64Array, i: number) => percent((plain[i] - loss[i]) / plain[i])
  return (
    `Without alpha, gamma 1 takes ${(plain[0] - one[0]).toFixed(2)} off the hard example (${off(one, 0)}) and ${off(one, 1)} off the easy one. ` +
    `Your gamma ${values.gamma} takes ${off(yours, 0)} and ${off(yours, 1)}.`
  )
}
