/** Column names and their meaning: in pandas, scikit-learn, R, spreadsheets and hand-written files. */

/** Names of targets. Compared as {@link plain}. */
export const TARGET_NAMES: readonly string[] = ['target', 'targets', 'label', 'labels', 'y_true']

/** Names of targets where there is none of {@link TARGET_NAMES}, the likelier first. */
const LIKELY_TARGET_NAMES = ['ground_truth', 'truth', 'gt', 'true_label', 'true_class', 'actual', 'true', 'class', 'y']

/** Families of names of predictions: columns of two families say the same in two ways. Hard decisions come last. */
const LOGITS = ['logit', 'logits']
const SCORES = ['score', 'scores', 'y_score', 'y_scores', 'decision_function', 'margin', 'raw_score', 'raw_scores']
const PROBABILITIES = ['proba', 'probas', 'prob', 'probs', 'probability', 'probabilities', 'y_proba', 'y_prob', 'pred_proba', 'y_pred_proba', 'predict_proba', 'confidence']
const PREDICTIONS = ['y_pred', 'y_hat', 'pred', 'preds', 'prediction', 'predictions', 'predicted', 'predicted_label', 'predicted_class']

const INDEX_NAMES = /^(id|idx|index|ids|row|rowid|row_?(id|index|name|names|num|number)|rownames|unnamed_\d+|level_\d+|index_level_\d+|\w+_(id|idx|index))$/

/** `Y.True` as `y_true`. */
function plain(name: string): string {
  return name
    .replace(/([a-z])(Id|Idx|Index)$/, '$1_$2')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '_')
    .replace(/^_|_$/g, '')
}

/** Whether a column is called like the number or the name of a row. */
export function isIndexName(name: string): boolean {
  return INDEX_NAMES.test(plain(name))
}

export function isTargetName(name: string): boolean {
  return TARGET_NAMES.includes(plain(name))
}

/** The columns with names of targets: several of them contradict each other, unless they are numbered. */
export function targetsByName(names: readonly string[]): { readonly places: readonly number[]; readonly numbered: boolean } {
  const placesOf = (fits: (name: string) => boolean) => names.flatMap((name, place) => (fits(plain(name)) ? [place] : []))
  const exact = placesOf((name) => TARGET_NAMES.includes(name))
  if (exact.length > 0) return { places: exact, numbered: false }
  const numbered = placesOf((name) => /_?\d+$/.test(name) && TARGET_NAMES.includes(name.replace(/_?\d+$/, '')))
  if (numbered.length > 0) return { places: numbered, numbered: true }
  const likely = LIKELY_TARGET_NAMES.find((one) => names.some((name) => plain(name) === one))
  return { places: names.flatMap((name, place) => (plain(name) === likely ? [place] : [])), numbered: false }
}

/** The places, of those given, of one family of predictions: `logit`, `logit_0` and `logit_cat`, or `score`. None where names say nothing. */
export function predictionsByName(names: readonly string[], places: readonly number[], inputs: 'logits' | 'probabilities'): readonly number[] {
  const families = inputs === 'logits' ? [LOGITS, SCORES, PROBABILITIES, PREDICTIONS] : [PROBABILITIES, SCORES, LOGITS, PREDICTIONS]
  // The longest name that fits decides: y_pred_proba is a probability
  const familyOf = (name: string) => {
    const fits = families.flatMap((family) => family.filter((base) => name === base || name.startsWith(`${base}_`) || new RegExp(`^${base}\\d+$`).test(name)).map((base) => ({ family, base })))
    return fits.sort((a, b) => b.base.length - a.base.length)[0]?.family
  }
  const found = new Map(places.map((place) => [place, familyOf(plain(names[place]))]))
  const family = families.find((one) => [...found.values()].includes(one))
  return family === undefined ? [] : places.filter((place) => found.get(place) === family)
}

/** What pandas says in a file's metadata of the index: names of columns, and ranges, which have no column. https://pandas.pydata.org/docs/development/developer.html */
export function pandasIndex(text: string | undefined): readonly string[] {
  if (text === undefined) return []
  const { index_columns } = JSON.parse(text) as { index_columns?: readonly unknown[] }
  return (index_columns ?? []).filter((column) => typeof column === 'string')
}
