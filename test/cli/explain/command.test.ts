/** `focal-loss explain` as people call it: tables, JSON, charts, pages, mistakes, pipes, and files larger than its memory. */
import { spawn, spawnSync } from 'node:child_process'
import { closeSync, ftruncateSync, openSync, readFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { SyntaxValidator } from 'fast-xml-validator'
import { AsymmetricLoss, evaluate, type Evaluation, FocalStarLoss, HeatmapFocalLoss, QualityFocalLoss, type Scores, SigmoidFocalLoss, SoftmaxFocalLoss, VarifocalLoss } from 'focal-loss'
import { describe, expect, it } from 'vitest'
import type { EvaluatedFiles, ExplainedFiles } from '../../../src/cli/explain/explained.js'
import { percent } from '../../../src/cli/explain/tables.js'
import { env, explainFolder, main, node } from '../../support/explain_command.js'
import { npyBytes, npyHeader } from '../../support/npy_files.js'
import { seeded } from '../../support/random.js'

const { folder, explain, file } = explainFolder('explain')

const random = seeded(5)
const [rows, classes] = [500, 8]
const x = Float32Array.from({ length: rows * classes }, () => random.normal() * 3 - 2)
const y = Int32Array.from({ length: rows }, () => random.integer(classes + 1))
const logits = file('logits.npy', npyBytes({ descr: '<f4', shape: [rows, classes], data: x }))
const targets = file('targets.npy', npyBytes({ descr: '<i4', shape: [rows], data: y }))
/** As the JSON has it. */
const withoutCurves = (scores: Evaluation) => {
  const slim = (each: Scores) => ({ ...each, classes: each.classes.map((figures) => ({ ...figures, precisionRecall: [], roc: [] })) })
  return { ...scores, raw: slim(scores.raw), recalibrated: slim(scores.recalibrated) }
}
const both = [logits, '--targets', targets, '--background', 'num-classes']

describe('focal-loss explain', { timeout: 60_000 }, () => {
  it('prints tables, and nothing else', () => {
    const { status, stdout, stderr } = explain(...both)
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
    const positives = y.filter((index) => index < classes).length
    expect(stdout).toMatch(new RegExp(`\nlogits.npy and targets.npy: sigmoid, 4,000 logits in rows of 8, ${positives} positives, ${(4000 - positives).toLocaleString('en-US')} negatives\n`))
    const loss = new SigmoidFocalLoss({ gamma: 2, alpha: null, background: classes })
    const { all, positives: side, bins, hardest } = loss.explain(x, y).losses[0]
    const line = stdout.split('\n').find((each) => each.startsWith('gamma 2 '))
    expect(line).toContain(` ${percent(side.lossShare)} `)
    expect(line).toContain(` ${Math.round(all.loss).toLocaleString('en-US')} `)
    expect(stdout.match(/^0\.99 - 0\.999 +\d+ +\d+ .*$/gm)).toHaveLength(2)
    expect(stdout).toContain(`${percent(bins[0].positives.lossShare)} + ${percent(bins[0].negatives.lossShare)}`)
    // The order of hard labels is the same under every gamma
    const listed = stdout.slice(stdout.indexOf('The hardest under gamma 0')).split('\n').slice(2, 12)
    expect(listed.map((each) => each.trim().split(/ +/).slice(0, 2).map(Number))).toEqual(hardest.map((each) => [each.row, each.class]))
  })

  it('prints and writes JSON: everything that the library says, and what it is of', () => {
    const { status, stdout, stderr } = explain(...both, '--gammas', '0,2', '--alphas', 'none,0.25', '--bins', '0,0.5,1', '--hardest', '3', '--json', '-')
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
    const expected = new SigmoidFocalLoss({ background: classes }).explain(x, y, { gammas: [0, 2], alphas: [null, 0.25], bins: [0, 0.5, 1], hardest: 3, perClass: true })
    const written = JSON.parse(stdout) as ExplainedFiles
    expect(written).toEqual({ file: logits, targets, loss: 'sigmoid', classes, notes: [], warnings: [], ...expected, reading: expect.stringMatching(/^positives are 11 % /) as string, evaluation: { trained: { gamma: 2, alpha: 0.25 }, scores: withoutCurves(evaluate(x, y, { loss: new SigmoidFocalLoss({ background: classes }) })) } })
    const portion = { count: expect.any(Number) as number, loss: expect.any(Number) as number, lossShare: expect.any(Number) as number, gradient: expect.any(Number) as number, gradientShare: expect.any(Number) as number }
    for (const each of written.losses) {
      expect(Object.keys(each)).toEqual(['gamma', 'alpha', 'all', 'positives', 'negatives', 'classes', 'bins', 'curves', 'hardest'])
      expect(each.all).toEqual({ ...portion, effectiveCount: expect.any(Number) as number })
      expect(each.bins).toEqual([{ from: 0, to: 0.5, positives: portion, negatives: portion }, { from: 0.5, to: 1, positives: portion, negatives: portion }])
      expect(Object.keys(each.hardest[0])).toEqual(['row', 'class', 'positive', 'probability', 'loss'])
    }
    expect(explain(...both, '--json', 'all.json', '--bins', '4').stdout).toMatch(/0\.25 - 0\.5/)
    expect((JSON.parse(readFileSync(join(folder, 'all.json'), 'utf8')) as ExplainedFiles).losses).toHaveLength(5)
  })

  it('explains a softmax', () => {
    const { stdout } = explain(...both, '--loss', 'softmax', '--gammas', '2', '--json', '-')
    const expected = new SoftmaxFocalLoss({ gamma: 2, background: classes }).explain(x, y)
    expect(JSON.parse(stdout)).toMatchObject({ loss: 'softmax', ...expected })
    const { stdout: tables } = explain(...both, '--loss', 'softmax')
    expect(tables).toMatch(/softmax, 500 rows of 8 classes, \d+ with a class, \d+ without\n/)
    // Only rows with a class have a loss, and no logit decides alone
    expect(tables).toMatch(/^loss +sum +gradient +effective$/m)
    expect(tables).toMatch(/^class +positives +AP +ROC area +ECE +best F1 +at p +gamma 0 +gamma 2$/m)
  })

  it('names the columns that it takes first', () => {
    file('pandas.csv', ',score,label\n0,-2,0\n1,1,1\n2,-1,0\n3,2,1\n')
    const first = 'pandas.csv: logits from score; targets from label; left out: column 1 without a name (an index: it counts the rows)'
    const reading = 'positives are 50 % and have 50 % of the gradient at gamma 2; best F1 1.000 at logit 1, probability 0.731'
    expect(explain('pandas.csv').stdout.split('\n').slice(0, 3)).toEqual([first, reading, 'pandas.csv: sigmoid, 4 logits, 2 positives, 2 negatives'])
    const { stdout, stderr } = explain('pandas.csv', '--gammas', '0', '--json', '-', '--html', 'page.html')
    const { notes, losses } = JSON.parse(stdout) as ExplainedFiles
    expect({ notes, stderr }).toEqual({ notes: [first], stderr: '' })
    expect(losses[0].all.count).toBe(4)
    expect(losses[0].all.loss).toBeCloseTo(0.8803794, 6)
    expect(readFileSync(join(folder, 'page.html'), 'utf8')).toContain(`<p>${first}</p>`)
  })

  it('leaves targets out that are missing, where that is said', () => {
    file('missing.csv', 'score,label\n0.5,0\n0.5,1\n0.5,\n')
    const { losses } = JSON.parse(explain('missing.csv', '--ignore-index', 'NaN', '--gammas', '2', '--json', '-').stdout) as ExplainedFiles
    expect(losses[0].all.count).toBe(2)
    expect(losses[0].all.loss / 2).toBeCloseTo(0.22249255, 7)
    expect(explain('missing.csv').stderr).toMatch(/^focal-loss: missing\.csv has no target in row 2 /)
  })

  it('reads the class indices of one class as such, with a background or where that is said', () => {
    file('one.csv', 'score,label\n-1,1\n1,1\n')
    const lossOf = (...args: string[]) => (JSON.parse(explain('one.csv', '--gammas', '2', '--alphas', '0.25', ...args, '--json', '-').stdout) as ExplainedFiles).losses[0].all.loss
    // Both anchors are background
    expect(lossOf('--background', 'num-classes') / 2).toBeCloseTo(0.2716973853, 7)
    expect(lossOf('--background', '1', '--target-kind', 'class-index') / 2).toBeCloseTo(0.2716973853, 7)
    const asLabels = new SigmoidFocalLoss({ reduction: 'sum' }).value(Float64Array.of(-1, 1), [1, 1])
    expect(lossOf('--background', '1', '--target-kind', 'labels')).toBeCloseTo(asLabels, 12)
    expect(lossOf()).toBeCloseTo(asLabels, 12)
    // Index 0 is the class, and there is no other
    expect(explain('one.csv', '--target-kind', 'class-index').stderr).toMatch(/targets\[0\] is 1; expected a class in 0\.\.0/)
  })

  it('asks whether class indices are those of a softmax, where nobody has said so', () => {
    file('three.csv', 'a,b,c,label\n2,-1,0,0\n-1,2,0,1\n0,-1,2,2\n')
    const question = 'three.csv has a class index per row: say --loss softmax if the model ends in a softmax'
    expect(explain('three.csv').stdout.split('\n')[1]).toBe(question)
    const { stdout, stderr } = explain('three.csv', '--json', '-')
    expect({ stderr, note: (JSON.parse(stdout) as ExplainedFiles).notes[1] }).toEqual({ stderr: '', note: question })
    for (const told of [['--loss', 'softmax'], ['--background', 'num-classes'], ['--loss', 'quality']]) expect(explain('three.csv', ...told).stdout).not.toContain(question)
  })

  it('recalibrates for one of the losses that it compares, and names it', () => {
    file('few.csv', 'score,label\n-2,0\n1,1\n-1,0\n2,1\n')
    const trained = (...args: string[]) => {
      const { losses, evaluation } = JSON.parse(explain('few.csv', ...args, '--json', '-').stdout) as EvaluatedFiles
      expect(losses.map(({ gamma, alpha }) => ({ gamma, alpha }))).toContainEqual(evaluation.trained)
      return evaluation.trained
    }
    expect(trained()).toEqual({ gamma: 2, alpha: null })
    expect(trained('--gammas', '2,1')).toEqual({ gamma: 2, alpha: null })
    expect(trained('--gammas', '1,0.5')).toEqual({ gamma: 0.5, alpha: null })
    expect(trained('--gammas', '2', '--alphas', '0.25,none')).toEqual({ gamma: 2, alpha: null })
    expect(trained('--alphas', 'none,0.25')).toEqual({ gamma: 2, alpha: 0.25 })
    const title = (...args: string[]) => /^Scores, [^]*?(?=; lowest)/m.exec(explain('few.csv', ...args).stdout)?.[0].replaceAll('\n', ' ')
    expect(title('--gammas', '2')).toBe('Scores, raw and recalibrated for a model trained with gamma 2, no alpha (say --gammas and --alphas if with another)')
    expect(title('--alphas', '0.25')).toBe('Scores, raw and recalibrated for a model trained with gamma 2, alpha 0.25 (say --gammas and --alphas if with another)')
    expect(title('--loss', 'heatmap')).toBe('Scores, raw and recalibrated for a model trained with gamma 2 (say --gammas if with another)')
    expect(title('--loss', 'quality')).toBe('Scores, raw and recalibrated for a model trained with its own options')
  })

  it('explains probabilities, and warns where they may be meant', () => {
    file('proba.csv', 'y_true,proba\n0,0.119203\n1,0.731059\n0,0.268941\n1,0.880797\n')
    const { losses } = JSON.parse(explain('proba.csv', '--inputs', 'probabilities', '--gammas', '0', '--json', '-').stdout) as ExplainedFiles
    expect(losses[0].all.loss).toBeCloseTo(0.880379, 5)
    expect(explain('proba.csv').stdout.match(/^warning: .*$/gm)).toEqual(['warning: all logits of proba.csv are from 0 to 1: if they are probabilities, say --inputs probabilities'])
    expect(explain('proba.csv').stdout).not.toContain('inputs:')
    // Probabilities whose logits are from 0 to 1 too
    file('even.csv', 'y_true,proba\n0,0.5\n1,0.7\n')
    expect((JSON.parse(explain('even.csv', '--inputs', 'probabilities', '--json', '-').stdout) as ExplainedFiles).warnings).toEqual([])
    // Both parts say it, or the whole does not
    file('logits.csv', 'y_true,logit\n0,-3\n1,3\n')
    for (const name of ['proba', 'logits']) expect(explain(`${name}.csv`, '--save', `${name}.json`).status).toBe(0)
    const merged = (...parts: string[]) => (JSON.parse(explain('--merge', ...parts, '--json', '-').stdout) as ExplainedFiles).warnings
    expect(merged('proba.json', 'logits.json')).toEqual([])
    expect(merged('proba.json')).toHaveLength(1)
    expect(explain('proba.csv', '--json', '-').stderr).toBe('focal-loss: warning: all logits of proba.csv are from 0 to 1: if they are probabilities, say --inputs probabilities\n')
  })

  it('explains every loss with its own default options', () => {
    const losses = { 'focal-star': FocalStarLoss, quality: QualityFocalLoss, varifocal: VarifocalLoss, heatmap: HeatmapFocalLoss, asymmetric: AsymmetricLoss }
    for (const [name, Loss] of Object.entries(losses)) {
      const { stdout } = explain(...both, '--loss', name, '--json', '-')
      expect(JSON.parse(stdout)).toMatchObject({ loss: name, ...new Loss({ background: classes }).explain(x, y) })
    }
    expect(explain(...both, '--loss', 'quality').stdout).toMatch(/^its own options +\d/m)
    expect(explain(...both, '--loss', 'varifocal').stdout).toMatch(/^gamma 2, alpha 0.75 +\d/m)
  })

  it('takes peaks that were rounded for peaks', () => {
    file('peaks.csv', 'logit,label\n2,0.9995\n-1,0.5\n')
    const peaks = (...options: string[]) => (JSON.parse(explain('peaks.csv', '--loss', 'heatmap', ...options, '--json', '-').stdout) as ExplainedFiles).losses[0]
    expect(peaks().positives.count).toBe(0)
    const expected = new HeatmapFocalLoss({ positiveFrom: 0.99 }).explain(Float64Array.of(2, -1), Float64Array.of(0.9995, 0.5))
    expect(peaks('--positive-from', '0.99')).toMatchObject(expected.losses[0])
    expect(expected.losses[0].positives.count).toBe(1)
    expect(explain('peaks.csv', '--positive-from', '0.99')).toMatchObject({ status: 1, stderr: 'focal-loss: --positive-from is given with --loss sigmoid; expected it with --loss heatmap\n' })
    expect(explain('peaks.csv', '--loss', 'heatmap', '--positive-from', '2').status).toBe(2)
  })

  it('draws the curves where they are', () => {
    const { status } = explain(...both, '--gammas', '0,2', '--svg', 'chart.svg', '--html', 'page.html')
    expect(status).toBe(0)
    const svg = readFileSync(join(folder, 'chart.svg'), 'utf8')
    expect(SyntaxValidator.validate(svg)).toBe(true)
    expect(svg).not.toMatch(/NaN|Infinity|undefined/)
    // Labels of the edges do not touch: 0.99 and 0.999 are close together
    const labels = [...svg.matchAll(/<text x="([\d.]+)" y="([\d.]+)" text-anchor="middle" font-size="9">([^<]+)</g)].map(([, x, y, label]) => ({ x: Number(x), y: Number(y), half: 2.8 * label.length }))
    expect(labels).toHaveLength(2 * 6 + 2 * 13)
    // All of a panel stand on one line
    expect(new Set(labels.map((one) => one.y)).size).toBe(2)
    labels.forEach((one, i) => {
      for (const other of labels.slice(i + 1)) if (one.y === other.y) expect(Math.abs(one.x - other.x)).toBeGreaterThan(one.half + other.half)
    })
    // Two curves in each of four panels: positives above and below, then negatives
    const drawn = [...svg.matchAll(/<polyline points="([^"]+)"/g)].map(([, points]) => points.split(' ').map((point) => point.split(',').map(Number)))
    expect(drawn).toHaveLength(8)
    const { losses } = new SigmoidFocalLoss({ background: classes }).explain(x, y, { gammas: [0, 2], alphas: [null] })
    const back = (left: number, top: number) => (points: number[][]) => points.map(([px, py]) => [(px - left) / 320, 1 - (py - top) / 240])
    const close = (actual: number[][], expected: number[][]) => {
      expect(actual).toHaveLength(expected.length)
      actual.forEach((point, i) => point.forEach((each, axis) => expect(each).toBeCloseTo(expected[i][axis], 2)))
    }
    losses.forEach(({ curves, bins }, i) => {
      const sides = [{ side: 'positives', left: 64 }, { side: 'negatives', left: 472 }] as const
      sides.forEach(({ side, left }, column) => {
        close(back(left, 44)(drawn[4 * column + i]), curves[side].map((point) => [point.examples, point.loss]))
        close(back(left, 384)(drawn[4 * column + 2 + i]), bins.map((bin, b) => [(b + 0.5) / bins.length, bin[side].lossShare]))
      })
    })
    const page = readFileSync(join(folder, 'page.html'), 'utf8')
    expect(page).toContain(svg)
    // Reliability, precision and recall, thresholds
    const figures = [...page.matchAll(/<figure>(<svg[^]*?<\/svg>)/g)].map(([, each]) => each)
    expect(figures).toHaveLength(3)
    for (const each of figures) {
      expect(SyntaxValidator.validate(each)).toBe(true)
      expect(each).not.toMatch(/NaN|Infinity|undefined/)
    }
    expect(figures.map((each) => each.match(/<polyline/g)?.length)).toEqual([3, 1, 3])
    expect(page).toContain('prefers-color-scheme: dark')
    expect(page.match(/<table>/g)).toHaveLength(7)
    expect(page).not.toMatch(/<script|<link|(src|href)=|NaN|undefined/)
  })

  it('escapes what files are called', () => {
    file('a<b>&.csv', 'x,target\n1,0\n')
    const { status } = explain('a<b>&.csv', '--html', 'page.html')
    expect(status).toBe(0)
    expect(readFileSync(join(folder, 'page.html'), 'utf8')).toContain('<p>a&lt;b&gt;&amp;.csv: sigmoid, 1 logit, 0 positives, 1 negative<')
  })

  it('says in one sentence what is wrong with files, with status 1', () => {
    file('bad.npy', npyBytes({ descr: '<i4', shape: [rows], data: y.map((index, row) => (row === 17 ? 99 : index)) }))
    file('nan.npy', npyBytes({ descr: '<f4', shape: [rows, classes], data: x.map((each, k) => (k === 9 ? NaN : each)) }))
    const cases: [args: string[], message: RegExp][] = [
      [['missing.npy', '--targets', targets], /^focal-loss: there is no file missing\.npy\n$/],
      [[logits, '--targets', 'bad.npy', '--background', '8'], /^focal-loss: logits\.npy: targets\[17\] is 99; expected a class in 0\.\.7, background 8\n$/],
      [['nan.npy', '--targets', targets, '--background', '8'], /^focal-loss: nan\.npy: the loss of logits\[9\] is NaN; expected a finite number, to share the sum by\n$/],
      [[logits, '--targets', targets], /^focal-loss: logits\.npy: targets\[\d+\] is 8; expected a class in 0\.\.7 \(classes count from 0; --background or --ignore-index allows others\)\n$/],
      [[...both, '--alphas', '2'], /^focal-loss: alpha is 2; expected a number from 0 to 1\n$/],
      [[...both, '--bins', '0.5'], /^focal-loss: bins is 0\.5; expected an integer from 1 to 10000\n$/],
      [['flat.csv', '--loss', 'softmax'], /^focal-loss: flat\.csv has one logit a row; expected a row of classes for a softmax \(--shape tells it of a \.npy file\), or --loss sigmoid\n$/],
      [[...both, '--svg', 'no/such/chart.svg'], /^focal-loss: --svg is no\/such\/chart\.svg, but there is no directory no\/such\n$/],
      [[...both, '--html', '.'], /^focal-loss: --html is \., which is a directory; expected the name of a file\n$/],
      [[...both, '--json', `./${targets}`], /^focal-loss: --json is \.\/targets\.npy, which is read; expected another file\n$/],
      [['nope.npy'], /^focal-loss: there is no file nope\.npy\n$/],
      [[logits, '--targets', 'nope.npy'], /^focal-loss: there is no file nope\.npy\n$/],
      [['.'], /^focal-loss: \. is a directory; expected a file\n$/],
      [['flat.csv', '--dtype', 'bfloat16'], /^focal-loss: --dtype is given for flat\.csv; expected it for \.npy, \.npz and \.safetensors files\n$/],
      [[...both, '--loss', 'quality', '--gammas', '1'], /^focal-loss: gammas is an array of length 1; expected nothing, as this loss has no gamma\n$/],
    ]
    file('flat.csv', '1,0\n2,1\n')
    for (const [args, message] of cases) {
      const { status, stdout, stderr } = explain(...args)
      expect(stderr).toMatch(message)
      expect({ args, status, stdout }).toEqual({ args, status: 1, stdout: '' })
    }
  })

  it('names the row from which it counts in later chunks', () => {
    const wrong = new Uint8Array(300_000)
    wrong[299_999] = 3
    file('x.npy', Buffer.concat([npyHeader({ descr: '<f4', shape: [300_000] }), Buffer.alloc(1_200_000)]))
    file('y.npy', npyBytes({ descr: '|u1', shape: [300_000], data: wrong }))
    expect(explain('x.npy', '--targets', 'y.npy').stderr).toBe('focal-loss: x.npy, counted from row 262144 on: targets[37855] is 3; expected a number from 0 to 1\n')
  })

  it('refuses wrong usage with status 2', () => {
    for (const args of [
      [],
      [...both, 'more'],
      [...both, '--gammas', '1,x'],
      [...both, '--gammas', '-1'],
      [...both, '--alphas', 'some'],
      [...both, '--loss', 'hinge'],
      [...both, '--shape', '2.5'],
      [...both, '--class-axis', 'last'],
      [...both, '--background', 'zero'],
      [...both, '--ignore-index', '0.5'],
      [...both, '--inputs', 'scores'],
      [...both, '--dtype', 'float32'],
      [...both, '--hardest', '-1'],
      [...both, '--bins', 'many'],
      [...both, '--colums', 'a'],
    ]) {
      const { status, stdout, stderr } = explain(...args)
      expect({ args, status, stdout }).toEqual({ args, status: 2, stdout: '' })
      expect(stderr).toMatch(/^error: /)
    }
  })

  it('ends quietly where the reader of its output has seen enough', async () => {
    const child = spawn(process.execPath, [...node, main, 'explain', ...both, '--json', '-'], { cwd: folder, env })
    let stderr = ''
    child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()))
    child.stdout.once('data', () => child.stdout.destroy())
    const status = await new Promise((resolve) => child.on('close', resolve))
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
  })

  // 256 MB of logits, and a process that takes less
  it('reads files larger than its memory', () => {
    const count = 64_000_000
    for (const [name, descr, bytes] of [['large.npy', '<f4', 4], ['zeros.npy', '|u1', 1]] as const) {
      const handle = openSync(join(folder, name), 'w')
      const header = npyHeader({ descr, shape: [count] })
      writeSync(handle, header)
      ftruncateSync(handle, header.length + count * bytes)
      closeSync(handle)
    }
    const report = 'process.on("exit", () => process.stderr.write(String(process.resourceUsage().maxRSS)))'
    const watched = (...args: string[]) =>
      spawnSync(process.execPath, ['--max-old-space-size=64', ...node, '--import', `data:text/javascript,${encodeURIComponent(report)}`, main, 'explain', ...args], { encoding: 'utf8', cwd: folder, env })
    const { status, stdout, stderr } = watched('large.npy', '--targets', 'zeros.npy', '--gammas', '0')
    expect(status).toBe(0)
    expect(stdout).toContain('64,000,000 logits, 0 positives, 64,000,000 negatives')
    // 64 million times log(2), in float32
    const [, sum] = /^gamma 0 +(\S+) /m.exec(stdout) ?? []
    expect(Number(sum.replaceAll(',', '')) / (count * Math.LN2)).toBeCloseTo(1, 6)
    const kilobytes = Number(stderr)
    expect(kilobytes).toBeGreaterThan(20_000)
    expect(kilobytes).toBeLessThan(200_000)
  }, 120_000)
})
