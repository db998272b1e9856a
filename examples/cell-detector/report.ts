import { escape, figure, renderPage, renderTable } from './html.js'
import type { Picture } from './pictures.js'
import type { TextTable } from './tables.js'

export interface Report {
  readonly source: string
  readonly facts: readonly string[]
  readonly verdict: string
  readonly results: TextTable
  /** The same over several seeds, where there were any. */
  readonly seeds?: { readonly table: TextTable; readonly verdict: string }
  readonly firstStep: TextTable
  readonly plots: {
    readonly precisionRecall: string
    readonly trainingLoss: string
    readonly positives: string
    readonly negatives: string
  }
  /** The variant whose logits the cumulative curves and the pictures show. */
  readonly curvesOf: string
  readonly picturesOf: string
  readonly pictures: readonly Picture[]
}

/** One page with everything in it: no script, no font and no picture is loaded from anywhere. */
export function renderReport(report: Report): string {
  const { plots, pictures } = report
  return renderPage(
    'Platelet detector: losses compared',
    `<p class="lead">Images: ${escape(report.source)}.</p>
<p class="verdict">${escape(report.verdict)}</p>
<ul>${report.facts.map((fact) => `<li>${escape(fact)}</li>`).join('')}</ul>

<h2>Results on the test images</h2>
${renderTable(report.results)}
<p>Average precision is over all cells of the test images. The range is the middle 95 % over resampled
test images. F1 on test uses the best threshold on validation. Initial weights, order of the images
and learning rate (Adam) are the same for all. "In the loss" includes the copies from and to TensorFlow.js.</p>
<div class="row">
${figure(plots.precisionRecall, 'Precision and recall on the test images.')}
${figure(plots.trainingLoss, 'Each loss has its own scale: compare the shapes of the lines, not their heights.')}
</div>

${renderSeeds(report.seeds)}
<h2>Which cells have the loss and the gradient before the first update</h2>
${renderTable(report.firstStep)}
<p>All training cells, with the untrained network. "Prior" is <code>loss.priorBias(prior)</code>, the constant logit with the lowest loss:
positives and negatives then have equal gradients, for any gamma and alpha. The RetinaNet rule,
-log((1 - prior) / prior), is this bias for cross entropy only.</p>

<h2>Which cells have the loss after training</h2>
<div class="row">
${figure(plots.positives, 'Platelet cells.')}
${figure(plots.negatives, 'Background cells.')}
</div>
<p>As figure 4 of the focal loss paper: test cells sorted by their loss, and the cumulative sum. All curves use the logits of
one model (${escape(report.curvesOf)}); only gamma differs. A curve that stays low until the right
edge means that a few hard cells have nearly all of the loss.</p>

<h2>Detections</h2>
<p>The test images with the most platelets, scored by the model with the highest average precision
(${escape(report.picturesOf)}). Orange: score; outlined cells are above the threshold; black: the annotated boxes, whose
inner half is positive.</p>
<div class="row">
${pictures.map(({ name, image }) => figure(`<img src="${image}" alt="Scores on ${escape(name)}">`, escape(name))).join('\n')}
</div>`,
  )
}

function renderSeeds(seeds: Report['seeds']): string {
  if (seeds === undefined) return ''
  return `<h2>Over several seeds</h2>
${renderTable(seeds.table)}
<p>${escape(seeds.verdict)} The ranges are 95 % confidence intervals; differences are paired: both losses have the same initial weights and
order of the images.</p>
`
}
