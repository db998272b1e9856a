/** Runs in a page around the playground, in any browser without a driver: uses it at four widths, and posts what is wrong. */
import axe from 'axe-core'

const WIDTHS = [360, 768, 1280, 1920]

async function until<T>(read: () => T | null | undefined | false, what: string): Promise<T> {
  const end = Date.now() + 60_000
  for (;;) {
    const value = read()
    if (value !== null && value !== undefined && value !== false) return value
    if (Date.now() > end) throw new Error(`${what} did not come`)
    await new Promise((later) => setTimeout(later, 50))
  }
}

async function check(width: number): Promise<string[]> {
  const frame = document.createElement('iframe')
  frame.style.cssText = `width: ${width}px; height: 900px; border: 0`
  frame.src = 'page/index.html'
  document.body.append(frame)
  const wrong: string[] = []
  const page = await until(() => frame.contentDocument?.querySelector('#curve-readings tbody tr') && frame.contentDocument, 'the page')
  const view = frame.contentWindow as Window & typeof globalThis
  view.addEventListener('error', ({ message }) => wrong.push(`${width}: ${message}`))
  const find = (selector: string) => page.querySelector<HTMLElement>(selector)
  const expectSo = (isSo: boolean, what: string) => {
    if (!isSo) wrong.push(`${width}: ${what}`)
  }
  for (const panel of ['training', 'numbers', 'browser']) {
    find(`#${panel}-title`)?.scrollIntoView()
    await until(() => find({ training: '#training-results tbody tr', numbers: '#numbers-totals tbody tr', browser: '#browser-run' }[panel] ?? ''), panel)
  }
  expectSo(page.documentElement.scrollWidth <= width, `the page is ${page.documentElement.scrollWidth} wide`)
  for (const math of Array.from(page.querySelectorAll('math'))) expectSo(math.getBoundingClientRect().height > 15, 'a formula is not laid out')
  const gamma = page.querySelector<HTMLInputElement>('#curve-gamma')
  if (gamma !== null) gamma.value = '3.5'
  gamma?.dispatchEvent(new view.Event('input'))
  await until(() => page.querySelector('#curve-readings')?.textContent?.includes('yours: focal, γ 3.5'), 'gamma 3.5')
  find('#training-step')?.click()
  await until(() => find('#training-step-count')?.textContent?.startsWith('1 of'), 'a step of training')
  expectSo(find('#numbers-summary')?.textContent?.includes('19,200 logits') === true, 'the example is not read')
  expectSo(find('#kernel')?.textContent?.includes('own kernel') === true, 'WebAssembly does not run')
  // What it says of the visible page; the frame is not looked into from outside
  const script = page.createElement('script')
  script.textContent = axe.source
  page.head.append(script)
  const { violations } = await (view as unknown as { axe: typeof axe }).axe.run(page, { resultTypes: ['violations'] })
  wrong.push(...violations.map(({ id, nodes }) => `${width}: axe: ${id}: ${nodes.map(({ target }) => target.join(' ')).join(', ')}`))
  frame.remove()
  return wrong
}

async function checkAll(): Promise<readonly string[]> {
  const wrong: string[] = []
  for (const width of WIDTHS) wrong.push(...(await check(width)))
  return wrong
}

void checkAll()
  .catch((error: unknown) => [String(error)])
  .then((wrong) => fetch('/', { method: 'POST', body: JSON.stringify({ widths: WIDTHS, wrong }) }))
