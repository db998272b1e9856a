/** The panels of the page: title, what to look at, settings to try, and links. */
import { curvePanel } from '../panels/curve/panel.js'
import { imbalancePanel } from '../panels/imbalance/panel.js'
import { formula, fraction, log, row, sub, sup } from '../ui/formula.js'
import { lazyPanel } from './lazy.js'

export interface PanelEntry {
  readonly id: string
  readonly title: string
  /** What to look at, in a sentence. */
  readonly look: string
  readonly formula: () => MathMLElement
  /** What to try: a sentence, and the settings it is seen with, as in the address. */
  readonly tries: readonly { readonly text: string; readonly settings: string }[]
  /** A page of docs, by its name there. */
  readonly docs: { readonly page: string; readonly title: string }
  readonly paper: { readonly address: string; readonly title: string }
  readonly mount: (body: HTMLElement) => void
}

const retinanet = { address: 'https://arxiv.org/abs/1708.02002', title: 'Lin et al. 2017, Focal Loss for Dense Object Detection' }
const truth = () => sub('p', 't')
const logOfTruth = () => log(truth())

export const panels: readonly PanelEntry[] = [
  {
    id: 'curve',
    title: 'The curve',
    look: 'Look at the right half of the charts: focal loss down-weights well-classified examples.',
    formula: () => formula('FL', '(', truth(), ')', '=', '−', sub('α', 't'), sup(row('(', '1', '−', truth(), ')'), 'γ'), logOfTruth()),
    tries: [
      { text: 'Gamma 0: focal loss is cross entropy', settings: 'curve.gamma=0' },
      { text: 'A hard example: pₜ 0.1', settings: 'curve.at=0.1' },
      { text: 'An easy one: pₜ 0.9', settings: 'curve.at=0.9' },
      { text: 'Logarithmic axes', settings: 'curve.scale=log' },
    ],
    docs: { page: 'which-loss', title: 'Which loss when' },
    paper: retinanet,
    mount: curvePanel,
  },
  {
    id: 'imbalance',
    title: 'The imbalance',
    look: 'Look at the hatched part of the bars, the easy negatives. Raise gamma: the hard examples get a larger share of the gradient.',
    formula: () => formula('L', '=', sub('∑', 'i'), sub('α', 'i'), sup(row('(', '1', '−', sub('p', 'i'), ')'), 'γ'), row('(', '−', log(sub('p', 'i')), ')')),
    tries: [
      { text: 'Gamma 0: alpha balancing alone', settings: 'imbalance.gamma=0' },
      { text: 'A million easy negatives', settings: 'imbalance.easy=1000000' },
      { text: 'No prior: an initial bias of zero, before training', settings: 'imbalance.prior=0.5&imbalance.trained=0' },
    ],
    docs: { page: 'explain', title: 'explain: which examples have the loss' },
    paper: retinanet,
    mount: imbalancePanel,
  },
  {
    id: 'training',
    title: 'Training',
    look: 'Look at the bars: do the losses still differ when each is recalibrated, or has its best threshold?',
    formula: () => formula('η', '=', fraction(row(sup(row('L', '′'), '−'), '(', 'p', ')'), row(sup(row('L', '′'), '−'), '(', 'p', ')', '−', sup(row('L', '′'), '+'), '(', 'p', ')'))),
    tries: [
      { text: 'Rare positives: only the threshold differs', settings: 'training.data=rare&training.ratio=30&training.balanced=yes&training.rate=0.01' },
      { text: 'Wrong labels: cross entropy wins', settings: 'training.data=wrong&training.ratio=3&training.balanced=no&training.rate=0.01' },
      { text: 'Gamma 5: scores close to 0.5', settings: 'training.gamma=5' },
    ],
    docs: { page: 'calibration', title: 'Calibration' },
    paper: { address: 'https://arxiv.org/abs/2002.09437', title: 'Mukhoti et al. 2020, Calibrating Deep Neural Networks using Focal Loss' },
    mount: lazyPanel('training'),
  },
  {
    id: 'numbers',
    title: 'Your numbers',
    look: 'Look at the bars by pₜ and at the threshold: which examples have the loss of your model, and which threshold should it use?',
    formula: () => formula(sub('F', '1'), '=', fraction(row('2', 'TP'), row('2', 'TP', '+', 'FP', '+', 'FN'))),
    tries: [
      { text: 'Compare gamma 0 and 2 only', settings: 'numbers.gammas=0_2' },
      { text: 'Shares of the gradient instead of the loss', settings: 'numbers.share=gradientShare' },
    ],
    docs: { page: 'evaluation', title: 'Evaluation and thresholds' },
    paper: { address: 'https://arxiv.org/abs/1706.04599', title: 'Guo et al. 2017, On Calibration of Modern Neural Networks' },
    mount: lazyPanel('numbers'),
  },
  {
    id: 'browser',
    title: 'This browser',
    look: 'Look at the distance between the lines: the WebAssembly kernel, the js backend, and a plain hand-written loop.',
    formula: () => formula(fraction(row('∂', 'FL'), row('∂', sub('x', 't'))), '=', '−', sub('α', 't'), sup(row('(', '1', '−', truth(), ')'), 'γ'), row('(', '1', '−', truth(), '−', 'γ', truth(), logOfTruth(), ')')),
    tries: [
      { text: 'A general gamma, 2.3', settings: 'browser.loss=sigmoid-gamma' },
      { text: 'Softmax over 80 classes', settings: 'browser.loss=softmax-80' },
      { text: 'Double precision', settings: 'browser.dtype=float64' },
    ],
    docs: { page: 'performance', title: 'Performance' },
    paper: retinanet,
    mount: lazyPanel('browser'),
  },
]
