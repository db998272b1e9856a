import type { Result } from './results.js'

/** Resamples of fewer images than this do not show how much images vary. */
const FEW_IMAGES = 20

/** What the numbers say about focal loss against cross entropy, and about its two starts, in words that follow from the numbers alone. */
export function verdict(results: readonly Result[], testImages: number): string {
  const focal = best(results.filter((result) => result.focal))
  const crossEntropy = best(results.filter((result) => !result.focal))
  const draws = focal.resampled.length
  const wins = focal.resampled.filter((value, draw) => value > crossEntropy.resampled[draw]).length / draws
  return [
    `Average precision on the test images: the best focal loss (${focal.variant.name}) reaches ${focal.averagePrecision.toFixed(3)},`,
    `${compare(focal, crossEntropy)} the best cross entropy (${crossEntropy.variant.name}) at ${crossEntropy.averagePrecision.toFixed(3)}.`,
    `On ${draws} resamples of the test images, focal loss is ahead in ${Math.round(100 * wins)} %: ${weigh(wins, testImages)}`,
    ...startVerdict(results),
  ].join(' ')
}

function weigh(wins: number, testImages: number): string {
  if (testImages < FEW_IMAGES) return `${testImages} test images are too few to tell.`
  if (wins > 0.025 && wins < 0.975) return 'these images cannot tell the two apart.'
  return `it is ${wins < 0.5 ? 'behind' : 'ahead'} by more than the choice of test images explains. This is one seed on one set of images.`
}

/** The same focal loss from its own prior bias and from the rule of RetinaNet. */
function startVerdict(results: readonly Result[]): string[] {
  const own = results.find(({ focal, variant }) => focal && variant.start === 'prior')
  const rule = results.find(({ focal, variant }) => focal && variant.start === 'RetinaNet rule')
  if (own === undefined || rule === undefined) return []
  const difference = own.averagePrecision - rule.averagePrecision
  return [
    `Focal loss that starts at loss.priorBias(prior) = ${own.variant.bias.toFixed(2)} ends ${Math.abs(difference).toFixed(3)} ${compare(own, rule)}`,
    `the same loss from the RetinaNet rule, ${rule.variant.bias.toFixed(2)}.`,
  ]
}

function compare(a: Result, b: Result): string {
  const difference = a.averagePrecision - b.averagePrecision
  return difference > 0 ? 'above' : difference < 0 ? 'below' : 'level with'
}

function best(results: readonly Result[]): Result {
  const [first, ...rest] = results
  if (first === undefined) throw new RangeError('there are no results to compare')
  return rest.reduce((ahead, result) => (result.averagePrecision > ahead.averagePrecision ? result : ahead), first)
}
