/** How the total loss and gradient are divided between groups of examples. */
import { presets, SigmoidFocalLoss } from 'focal-loss'
import { createStore, flag, number } from '../../app/store.js'
import { key, legend } from '../../chart/legend.js'
import { heightAt, lineChart, type Series } from '../../chart/line_chart.js'
import { linear } from '../../chart/scale.js'
import { lookOfGamma } from '../../chart/series.js'
import { stackedBar } from '../../chart/stacked_bar.js'
import { valueBars } from '../../chart/value_bars.js'
import { button, checkbox, controlsOfPanel, slider } from '../../ui/controls.js'
import { h } from '../../ui/dom.js'
import { codeBox } from '../../ui/code.js'
import { percent, total, whole } from '../../ui/format.js'
import { imbalanceCode } from './code.js'
import { countAt, countParameter, placeOf } from './counts.js'
import { type Group, populationOf, type PopulationOptions } from './population.js'
import { cumulative, type Sums, sumsOf } from './shares.js'

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
  const gamma = numberSlider('gamma', 'Gamma, γ', String)
  const alpha = numberSlider('alpha', 'Alpha, α', String)
  const at = numberSlider('at', 'Read the curves at this share of the examples', percent)
  const sliders = [
    countSlider('easy', 'Easy negatives'),
    countSlider('hard', 'Hard negatives'),
    countSlider('positives', 'Positives'),
    numberSlider('prior', 'Prior: p before training', (value) => value.toFixed(3), 'The last layer’s bias is −log((1 − π) / π). 0.5 is a bias of zero.'),
    numberSlider('trained', 'Training progress', percent, 'At 0 % every example has the prior’s p.'),
  ]
  const balanced = checkbox({ id: 'imbalance-balanced', label: 'Alpha balancing, α', changed: (on) => store.set({ balanced: on }) })
  const presetsRow = h(
    'div',
    { class: 'buttons' },
    button('imbalance-first-step', 'The paper’s first step', () => store.set(FIRST_STEP)),
    button('imbalance-reset', 'Back to the start', () => store.set(Object.fromEntries(Object.entries(parameters).map(([name, { initial }]) => [name, initial])))),
  )
  const bars = ['cross-entropy', 'weighted', 'focal'].map((id) => lossBars(`imbalance-${id}`))
  const totals = valueBars('imbalance-totals', 'Total loss, all bars to one scale')
  const lesson = h('p', { class: 'lesson', id: 'imbalance-lesson' })
  const read = (x: number) => store.set({ at: Math.round(100 * x) / 100 })
  const charts = { positives: lineChart('imbalance-figure-positives', 'Positives', read), negatives: lineChart('imbalance-figure-negatives', 'Negatives, easy and hard', read) }
  const readings = legend('imbalance-readings')
  const lines = key()
  lines.show(FIGURE_GAMMAS.map((gamma) => ({ name: figureName(gamma), look: lookOfGamma(gamma) })))
  const code = codeBox('imbalance')
  body.append(
    controlsOfPanel({ first: [presetsRow], kept: gamma.element, more: [balanced.element, alpha.element, ...sliders.map(({ element }) => element)] }),
    h(
      'div',
      { class: 'stage' },
      lesson,
      totals.element,
      h('div', { class: 'bars' }, ...bars.map(({ element }) => element)),
      h('h3', { class: 'spaced' }, 'Cumulative loss'),
      h('p', { class: 'hint gap' }, 'Figure 4 of the RetinaNet paper: examples sorted by loss, smallest first. A line close to the lower right corner means that a few examples have nearly all of the loss.'),
      lines.element,
      h('div', { class: 'pair' }, charts.positives.element, charts.negatives.element),
      at.element,
      readings.element,
    ),
    code.element,
  )
  store.watch((values) => {
    for (const control of [...sliders, gamma, alpha, at]) control.show(values)
    balanced.show(values.balanced)
    alpha.disable(!values.balanced)
    const groups = populationOf(values)
    const compared = comparedLosses(values).map((one) => ({ ...one, sums: sumsOf(one.options, groups) }))
    compared.forEach(({ title, sums }, i) => bars[i].show(title, groups, sums))
    totals.show(compared.map(({ name, sums }) => ({ name, value: sumOf(sums, 'loss') })), total)
    lesson.textContent = lessonOf(values, compared.map(({ sums }) => sums))
    showFigure(values, groups, charts, readings)
    const numbers = { gamma: values.gamma, alpha: values.balanced ? values.alpha : null }
    code.show(imbalanceCode({ ...values, ...numbers }, new SigmoidFocalLoss(numbers).priorBias(values.prior)))
  })
}

function comparedLosses({ gamma, balanced, alpha, positives, easy, hard }: Choices) {
  const all = easy + hard + positives
  const share = all === 0 ? 0.5 : Math.min(0.999999, Math.max(1e-6, positives / all))
  return [
    { name: 'Cross entropy', title: 'Cross entropy', options: { ...presets.crossEntropy } },
    { name: 'Weighted', title: `Weighted cross entropy, positives ${(1 - share).toFixed(3)}, negatives ${Number(share.toPrecision(2))}`, options: presets.weightedCrossEntropy(1 - share) },
    { name: 'Focal loss', title: `Focal loss, γ ${gamma}${balanced ? `, α ${alpha}` : ''}`, options: { gamma, alpha: balanced ? alpha : null } },
  ]
}

function lossBars(id: string) {
  const heading = h('h3', {})
  const sums = { loss: h('output', { id: `${id}-loss-total` }), gradient: h('output', { id: `${id}-gradient-total` }) }
  const loss = stackedBar(`${id}-loss`, 'of the loss')
  const gradient = stackedBar(`${id}-gradient`, 'of the gradient')
  return {
    element: h('article', { id }, heading, h('p', { class: 'totals' }, 'total loss ', sums.loss, ', total |gradient| ', sums.gradient), loss.element, gradient.element),
    show(title: string, groups: readonly Group[], parts: readonly Sums[]) {
      heading.textContent = title
      for (const [what, bar] of [['loss', loss], ['gradient', gradient]] as const) {
        const all = sumOf(parts, what)
        sums[what].textContent = total(all)
        bar.show(groups.map(({ name }, i) => ({ name, share: all > 0 ? parts[i][what] / all : 0 })))
      }
    },
  }
}

function lessonOf({ easy, hard, positives }: Choices, [plain, , focal]: readonly (readonly Sums[])[]): string {
  const [plainLoss, focalLoss] = [sumOf(plain, 'loss'), sumOf(focal, 'loss')]
  const times = focalLoss > 0 ? `, ${total(plainLoss / focalLoss)} times less` : ''
  const sentence = `Summed over ${whole(easy + hard + positives)} examples the loss is ${total(plainLoss)} under cross entropy and ${total(focalLoss)} under focal loss${times}. `
  if (hard + positives === 0) return `${sentence}All of it is easy background: under cross entropy it would outweigh every positive.`
  const share = (sums: readonly Sums[], i: number) => percent(sums[i].gradient / (sumOf(sums, 'gradient') || 1))
  return (
    `${sentence}The gradient updates the weights: easy negatives have ${share(plain, 0)} under cross entropy and ${share(focal, 0)} of it under focal loss; ` +
    `positives have ${share(plain, 2)} and ${share(focal, 2)}.`
  )
}

function sumOf(sums: readonly Sums[], what: keyof Sums): number {
  return sums.reduce((all, one) => all + one[what], 0)
}

function figureName(gamma: number): string {
  return gamma === 0 ? 'cross entropy, γ 0' : `focal, γ ${gamma}`
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
    `Share of the loss of the easiest ${percent(at)}`,
    ['positives', 'negatives'],
    FIGURE_GAMMAS.map((gamma, i) => ({ name: figureName(gamma), look: lookOfGamma(gamma), values: [text(drawn[0][i]), text(drawn[1][i])] })),
  )
}
