/** Formulas in MathML, which browsers lay out and screen readers read. */
const MATHML = 'http://www.w3.org/1998/Math/MathML'

/** Between a function and what it is of: nothing to see but a space. */
const APPLIED = '\u2061'

export type Term = MathMLElement | string

/** A block of its own. */
export function formula(...terms: readonly Term[]): MathMLElement {
  const block = element('math', element('mrow', ...terms.map(termOf)))
  block.setAttribute('display', 'block')
  return block
}

export function row(...terms: readonly Term[]): MathMLElement {
  return element('mrow', ...terms.map(termOf))
}

export function sub(base: Term, below: Term): MathMLElement {
  return element('msub', termOf(base), termOf(below))
}

export function sup(base: Term, above: Term): MathMLElement {
  return element('msup', termOf(base), termOf(above))
}

export function fraction(above: Term, below: Term): MathMLElement {
  return element('mfrac', termOf(above), termOf(below))
}

export function log(term: Term): MathMLElement {
  return row('log', APPLIED, term)
}

/** Numbers, names and operators as MathML tells them apart. */
function termOf(term: Term): MathMLElement {
  if (typeof term !== 'string') return term
  const made = element(/^[\d.]+$/.test(term) ? 'mn' : /^\p{L}+$/u.test(term) ? 'mi' : 'mo', term)
  // Brackets of the height of letters, whatever is in them
  if (term === '(' || term === ')') made.setAttribute('stretchy', 'false')
  return made
}

function element(tag: string, ...children: readonly Term[]): MathMLElement {
  const made = document.createElementNS<'math'>(MATHML, tag as 'math')
  made.append(...children)
  return made
}
