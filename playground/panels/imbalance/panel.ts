/** Where the total loss and the total gradient of a crowd of examples go. */
import { presets } from 'focal-loss'
import { createStore, flag, number } from '../../app/store.js'
import { legend } from '../../chart/legend.js'
import { heightAt, lineChart, type Series } from '../../chart/line_chart.js'
import { linear } from '../../chart/scale.js'
import { lookOfGamma } from '../../chart/series.js'
import { stackedBar } from '../../chart/stacked_bar.js'
import { button, checkbox, slider } from '../../ui/controls.js'
import { h } from '../../ui/dom.js'
import { percent, total, whole } from '../../ui/format.js'
import { countAt, countParameter, placeOf } from './counts.js'
import { type Group, populationOf, type PopulationOptions } from './population.js'
import { cumulative, sumsOf } from './shares.js'

interface Choices extends PopulationOptions {
  readonly gamma: number
  readonly balanced: boolean
  readonly alpha: number
  /** The share of a side's examples that is read. */
  readonly at: number
}

const parameters = {
  easy: countParameter(100_000),
  hard: countParameter(200),
  positives: countParameter(100),
  prior: number(0.01, 0.001, 0.5, 0.001),
  trained: number(1, 0, 1, 0.01),
  gamma: number(2, 0, 5, 0.1),
  balanced: flag(true),
  alpha: number(0.25, 0.01, 0.99, 0.01),
  at: number(0.9, 0, 1, 0.01),
}

/** One image of the RetinaNet paper before the first step: 100,000 anchors by 80 classes, background everywhere. */
const FIRST_STEP: Partial<Choices> = { easy: 8_000_000, hard: 0, positives: 0, prior: 0.01, trained: 0, gamma: 2, balanced: true, alpha: 0.25 }
const FIGURE_GAMMAS = [0, 0.5, 1, 2, 5]
const sides = ['positives', 'negatives'] as const

export function imbalancePanel(body: HTMLElement): void {
  const store = createStore<Choices>('imbalance', parameters)
  const countSlider = (name: 'easy' | 'hard' | 'positives', label: string) => {
    const control = slider({ id: `imbalance-${name}`, label, min: 0, max: 140, step: 1, format: (at) => whole(countAt(at)), changed: (at) => store.set({ [name]: countAt(at) }) })
    return { element: control.element, show: (values: Choices) => control.show(placeOf(values[name]), whole(values[name])) }
  }
  const numberSlider = (name: 'prior' | 'trained' | 'gamma' | 'alpha' | 'at', label: string, format: (value: number) => string, hint?: string) => {
    const control = slider({ id: `imbalance-${name}`, label, hint, ...parameters[name], format, changed: (value) => store.set({ [name]: value }) })
    return { ...control, show: (values: Choices) => control.show(values[name]) }
  }
  const alpha = numberSlider('alpha', 'Alpha, α', String)
  const at = numberSlider('at', 'Read the curves at this share of the examples', percent)
  const sliders = [
    countSlider('easy', 'Easy negatives'),
    countSlider('hard', 'Hard negatives'),
    countSlider('positives', 'Positives'),
    numberSlider('prior', 'Prior: p before training', (value) => value.toFixed(3), 'The last layer’s bias is −log((1 − π) / π). 0.5 is a bias of zero.'),
    numberSlider('trained', 'How far training has come', percent, 'At 0 % every example has the prior’s p.'),
    numberSlider('gamma', 'Gamma, γ', String),
  ]
  const balanced = checkbox({ id: 'imbalance-balanced', label: 'Weigh positives by alpha, α', changed: (on) => store.set({ balanced: on }) })
  const presetsRow = h(
    'div',
    { class: 'buttons' },
    button('imbalance-first-step', 'The paper’s first step', () => store.set(FIRST_STEP)),
    button('imbalance-reset', 'Back to the start', () => store.set(Object.fromEntries(Object.entries(parameters).map(([name, { initial }]) => [name, initial])))),
  )
  const bars = ['cross-entropy', 'weighted', 'focal'].map((id) => lossBars(`imbalance-${id}`))
  const lesson = h('p', { class: 'lesson', id: 'imbalance-lesson' })
  const read = (x: number) => store.set({ at: Math.round(100 * x) / 100 })
  const charts = { positives: lineChart('imbalance-figure-positives', 'Positives', read), negatives: lineChart('imbalance-figure-negatives', 'Negatives, easy and hard', read) }
  const readings = legend('imbalance-readings')
  body.append(
    h('div', { class: 'controls' }, ...sliders.map(({ element }) => element), balanced.element, alpha.element, presetsRow),
    h(
      'div',
      { class: 'stage' },
      h('div', { class: 'bars' }, ...bars.map(({ element }) => element)),
      lesson,
      h('h3', { class: 'spaced' }, 'How the loss builds up, example by example'),
      h('p', { class: 'hint gap' }, 'Figure 4 of the RetinaNet paper: sorted by loss, smallest first. A line that hugs the lower right corner means that a few examples have nearly all of it.'),
      h('div', { class: 'pair' }, charts.positives.element, charts.negatives.element),
      at.element,
      readings.element,
    ),
  )
  store.watch((values) => {
    for (const control of [...sliders, alpha, at]) control.show(values)
    balanced.show(values.balanced)
    alpha.disable(!values.balanced)
    const groups = populationOf(values)
    comparedLosses(values).forEach(({ title, options }, i) => bars[i].show(title, groups, sumsOf(options, groups)))
    lesson.textContent = lessonOf(values, groups)
    showFigure(values, groups, charts, readings)
  })
}

function comparedLosses({ gamma, balanced, alpha, positives, easy, hard }: Choices) {
  const all = easy + hard + positives
  const share = all === 0 ? 0.5 : Math.min(0.999999, Math.max(1e-6, positives / all))
  return [
    { title: 'Cross entropy', options: { ...presets.crossEntropy } },
    { title: `Weighted cross entropy, positives ${(1 - share).toFixed(3)}, negatives ${Number(share.toPrecision(2))}`, options: presets.weightedCrossEntropy(1 - share) },
    { title: `Focal loss, γ ${gamma}${balanced ? `, α ${alpha}` : ''}`, options: { gamma, alpha: balanced ? alpha : null } },
  ]
}

function lossBars(id: string) {
  const heading = h('h3', {})
  const sums = { loss: h('output', { id: `${id}-loss-total` }), gradient: h('output', { id: `${id}-gradient-total` }) }
  const loss = stackedBar(`${id}-loss`, 'of the loss')
  const gradient = stackedBar(`${id}-gradient`, 'of the gradient')
  return {
    element: h('article', { id }, heading, h('p', { class: 'totals' }, 'total loss ', sums.loss, ', total |gradient| ', sums.gradient), loss.element, gradient.element),
    show(title: string, groups: readonly Group[], parts: ReturnType<typeof sumsOf>) {
      heading.textContent = title
      for (const [what, bar] of [['loss', loss], ['gradient', gradient]] as const) {
        const all = parts.reduce((sum, part) => sum + part[what], 0)
        sums[what].textContent = total(all)
        bar.show(groups.map(({ name }, i) => ({ name, share: all > 0 ? parts[i][what] / all : 0 })))
      }
    },
  }
}

function lessonOf(values: Choices, groups: readonly Group[]): string {
  const [plain, , focal] = comparedLosses(values).map(({ options }) => sumsOf(options, groups).map(({ gradient }) => gradient))
  const share = (parts: readonly number[], i: number) => percent(parts[i] / (parts.reduce((a, b) => a + b, 0) || 1))
  return (
    `Of the gradient, which is what moves the weights, easy negatives have ${share(plain, 0)} under cross entropy and ${share(focal, 0)} under focal loss; ` +
    `positives have ${share(plain, 2)} and ${share(focal, 2)}.`
  )
}

const figureX = linear('share of the examples', 0, 1, 0.2)
const figureY = linear('share of their loss', 0, 1, 0.2)

function showFigure({ at }: Choices, groups: readonly Group[], charts: Readonly<Record<(typeof sides)[number], ReturnType<typeof lineChart>>>, readings: ReturnType<typeof legend>): void {
  const drawn = sides.map((side) =>
    FIGURE_GAMMAS.map((gamma): Series => ({
      name: `γ ${gamma}`,
      look: lookOfGamma(gamma),
      points: cumulative({ gamma, alpha: null }, groups.filter(({ positive }) => positive === (side === 'positives'))),
    })),
  )
  const text = (series: Series) => (series.points.length === 0 ? 'none' : percent(heightAt(series.points, at)))
  sides.forEach((side, i) => {
    const summary = `The first ${percent(at)} of the ${side} have: ${drawn[i].map((series) => `${series.name} ${text(series)}`).join('; ')}.`
    charts[side].show({ x: figureX, y: figureY, series: drawn[i], at, summary })
  })
  readings.show(
    `What share of their side’s loss the first ${percent(at)} of the examples have`,
    ['positives', 'negatives'],
    FIGURE_GAMMAS.map((gamma, i) => ({ name: gamma === 0 ? 'cross entropy, γ 0' : `focal, γ ${gamma}`, look: lookOfGamma(gamma), values: [text(drawn[0][i]), text(drawn[1][i])] })),
  )
}
