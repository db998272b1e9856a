/** Tables of text as pandas, R, spreadsheets, numpy and people write them: which columns are taken, and what is said of it. */
import { gzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { file, readAll, readNoted } from '../../../support/source_files.js'

/** Four examples; their cross entropy is 0.8803794. */
const logits = [-2, 1, -1, 2]
const targets = [0, 1, 0, 1]
/** Lines of a table with these, after what stands before each. */
const lines = (before: readonly string[], between: string, labels: readonly string[] = targets.map(String)) =>
  logits.map((x, i) => `${before[i] ?? ''}${x}${between}${labels[i]}\n`).join('')
const counted = (from: number, mark = '') => logits.map((_, i) => `${mark}${i + from}${mark},`)

describe('the columns that are taken', () => {
  it.each([
    ["pandas' to_csv, with its index", `,score,label\n${lines(counted(0), ',')}`, {}, ['x.csv: logits from score; targets from label; left out: column 1 without a name (an index: it counts the rows)']],
    ['after train_test_split', `,score,label\n${lines(['17,', '3,', '25,', '4,'], ',')}`, {}, ['x.csv: logits from score; targets from label; left out: column 1 without a name (an index, having no name)']],
    ['read and written twice', `Unnamed: 0,score,label\n${lines(counted(0), ',')}`, {}, ['x.csv: logits from score; targets from label; left out: Unnamed: 0 (an index, by its name)']],
    ['without a header', lines(counted(0), ','), {}, ['x.csv: logits from column 2; targets from column 3; left out: column 1 (an index: it counts the rows)']],
    ["R's write.csv", `"","score","label"\n${lines(counted(1, '"'), ',', ['FALSE', 'TRUE', 'FALSE', 'TRUE'])}`, {}, ['x.csv: logits from score; targets from label; left out: column 1 without a name (an index: it counts the rows)']],
    ["R's write.table, whose header is one name short", `"score" "label"\n${lines(['"a" ', '"b" ', '"c" ', '"d" '], ' ')}`.replaceAll(' ', '\t'), {}, ['x.csv: logits from score; targets from label; left out: column 1 without a name (an index, having no name)']],
    ['an id', `image_id,score,label\n${lines(['5,', '8,', '1,', '3,'], ',')}`, {}, ['x.csv: logits from score; targets from label; left out: image_id (an index, by its name)']],
    ['an index by its name', `Index,score,label\n${lines(['5,', '8,', '1,', '3,'], ',')}`, {}, ['x.csv: logits from score; targets from label; left out: Index (an index, by its name)']],
    ["scikit-learn's names, and a hard decision", 'y_true,y_pred,y_score\n0,0,-2\n1,1,1\n0,1,-1\n1,0,2\n', {}, ['x.csv: logits from y_score; targets from y_true; left out: y_pred (as there is y_score)']],
    ['y_pred alone', `y_pred,y_true\n${lines([], ',')}`, {}, ['x.csv: logits from y_pred; targets from y_true']],
    ['logits beside probabilities and features', 'age,proba,logit,label\n30,0.1,-2,0\n41,0.7,1,1\n17,0.3,-1,0\n55,0.9,2,1\n', {}, ['x.csv: logits from logit; targets from label; left out: age (as there is logit), proba (as there is logit)']],
    ['an index that is asked for', ',id,label\n0,-2,0\n1,1,1\n2,-1,0\n3,2,1\n', { columns: ['id'] }, ['x.csv: logits from id; targets from label']],
    ['a frame without names', `0,1\n${lines([], ',')}`, {}, ["x.csv: logits from '0'; targets from '1'", 'x.csv: the first line, 0,1, is taken for a header (--no-header takes it for a row)']],
    ['and its index', `,0,1\n${lines(counted(0), ',')}`, {}, ["x.csv: logits from '0'; targets from '1'; left out: column 1 without a name (an index: it counts the rows)", 'x.csv: the first line, ,0,1, is taken for a header (--no-header takes it for a row)']],
    ['a header that is told', `7,8\n${lines([], ',')}`, { header: true, targetColumns: ['8'] }, ['x.csv: logits from 7; targets from 8']],
  ])('%s', async (_, content, options, notes) => {
    expect(await readNoted({ file: file('x.csv', content), ...options })).toMatchObject({ classes: 1, logits, targets, notes })
  })

  it('a first line of numbers is a row where that is told', async () => {
    expect(await readNoted({ file: file('x.csv', '0,1\n2,0\n'), header: false })).toMatchObject({ logits: [0, 2], targets: [1, 0], notes: ['x.csv: logits from column 1; targets from column 2'] })
    expect(await readAll({ file: file('x.csv', '0,1,2,1\n3,1,0,0\n') })).toMatchObject({ classes: 3, logits: [0, 1, 2, 3, 1, 0] })
  })

  it('a single row has an index too', async () => {
    expect(await readAll({ file: file('x.csv', ',score,label\n0,-2,0\n') })).toMatchObject({ classes: 1, logits: [-2], targets: [0] })
  })

  it('several logits, and a label for each', async () => {
    const path = file('x.csv', 'logit_cat,logit_dog,label_0,label_1\n-2,1,0,1\n-1,2,0,1\n')
    expect(await readNoted({ file: path })).toMatchObject({ classes: 2, logits: [-2, 1, -1, 2], targets: [0, 1, 0, 1], notes: ['x.csv: logits from logit_cat, logit_dog; targets from label_0, label_1'] })
  })

  it('in two files', async () => {
    const path = file('x.csv', `,score,label\n${lines(counted(0), ',')}`)
    const other = file('y.csv', ',y\n0,1\n1,1\n2,0\n3,0\n')
    expect(await readNoted({ file: path, targets: other })).toMatchObject({
      logits,
      targets: [1, 1, 0, 0],
      notes: ['x.csv: logits from score; left out: column 1 without a name (an index: it counts the rows), label (targets, by its name)', 'y.csv: targets from y'],
    })
  })

  it.each([
    ['two targets', 'score,label,target\n1,0,1\n', /x\.csv has the columns label and target; expected --target-columns with the one that holds the targets$/],
    ['nothing but an index', 'id,label\n1,0\n', /x\.csv has no column of logits beside label, id \(an index, by its name\); expected one, or --columns$/],
    ['a name twice', 'a,a,label\n1,2,0\n', /x\.csv has several columns a; expected a number from 1 to 3$/],
  ])('refuses %s', async (_, content, message) => {
    await expect(readAll({ file: file('x.csv', content), columns: content.startsWith('a') ? ['a'] : undefined })).rejects.toThrow(message)
  })
})

describe('how cells are written', () => {
  it.each([
    ['semicolons and decimal commas', `score;label\n${lines([], ';').replaceAll('1;', '1,0;').replaceAll('2;', '2,0;')}`],
    ['commas and decimal commas in quotes', 'score,label\n"-2,0",0\n"1,0",1\n"-1,0",0\n"2,0",1\n'],
    ['semicolons and a line that says so, as Excel reads it', `sep=;\nscore;label\n${lines([], ';')}`.replaceAll('\n', '\r\n')],
    ['tabs', `score\tlabel\n${lines([], '\t')}`],
    ['vertical bars', `score|label\n${lines([], '|')}`],
    ['vertical bars and a line that says so', `sep=|\n"score, raw"|label\n${lines([], '|')}`],
    ['blanks, as numpy.savetxt writes them', '-2.000000000000000000e+00 0.000000000000000000e+00\n1.000000000000000000e+00 1.000000000000000000e+00\n-1e+00 0e+00\n2e+00 1e+00\n'],
    ['several blanks, as numpy.savetxt pads numbers', '  -2.00000    0\n   1.00000    1\n  -1.00000    0\n   2.00000    1\n'],
    ['several blanks under a header', 'score     label\n   -2   0\n    1   1\n   -1   0\n    2   1 \n'],
    ["numpy.savetxt's header", `# score label\n${lines([], ' ')}`],
    ["numpy.savetxt's header with commas", `# score,label\n${lines([], ',')}`],
    ['quotes within text, as pandas reads them', `name,score,label\na 5" screen,-2,0\n"a ""b"", c",1,1\n'"',-1,0\nx"",2,1\n`],
    ['True and False', `score,label\n${lines([], ',', ['False', 'True', 'False', 'True'])}`],
    ['true and false without a header', lines([], ',', ['false', 'true', 'false', 'true'])],
  ])('%s', async (_, content) => {
    for (const name of ['x.csv', 'x.tsv', 'x.txt']) expect(await readAll({ file: file(name, content) })).toMatchObject({ classes: 1, logits, targets })
  })

  it('decimal commas of three digits, where nothing else can be meant', async () => {
    expect(await readAll({ file: file('x.csv', 'score;label\n1,234;0\n') })).toMatchObject({ logits: [1.234] })
    expect(await readAll({ file: file('x.csv', 'score,label\n"0,5",0\n"1,234",1\n') })).toMatchObject({ logits: [0.5, 1.234] })
  })

  it("UTF-16, as Excel's Unicode text", async () => {
    const text = Buffer.from(`\ufeffscore\tlabel\r\n${lines([], '\t').replaceAll('\n', '\r\n')}`, 'utf16le')
    expect(await readAll({ file: file('x.txt', text) })).toMatchObject({ logits, targets })
  })

  it('UTF-16 of the other byte order is refused', async () => {
    const path = file('x.csv', Buffer.from('\ufeffscore,label\n1,0\n', 'utf16le').swap16())
    await expect(readAll({ file: path })).rejects.toThrow(/x\.csv is no proper table \(it is UTF-16, big-endian; expected UTF-8, or UTF-16, little-endian\)$/)
  })

  it.each(['x.csv.gz', 'x.TSV.GZ', 'x.txt.gz', 'x.csv'])('compressed, as pandas writes it: %s', async (name) => {
    const content = gzipSync(`score,label\n${lines([], ',')}`)
    expect(await readAll({ file: file(name, content) })).toMatchObject({ classes: 1, logits, targets })
    await expect(readAll({ file: file(name, content.subarray(0, -12)) })).rejects.toThrow(new RegExp(`${name} is no proper table \\(unexpected end of file\\)$`))
  })

  it('compressed, and larger than what is looked at first', async () => {
    const rows = Array.from({ length: 30_000 }, (_, i) => `${Math.sin(i)};${i % 2}\n`)
    const read = await readAll({ file: file('x.csv.gz', gzipSync(`score;label\n${rows.join('')}`)) })
    expect(read.logits).toEqual(rows.map((_, i) => Math.sin(i)))
  })

  it.each([
    ['decimal commas and points in one table', 'score;label\n-2,5;0\n1.5;1\n', /x\.csv, line 3: column 1 is '1\.5', with a decimal '\.'; expected ',', as in line 2$/],
    ['what may be thousands', 'score,label\n"1,234",0\n', /x\.csv, line 2: column 1 is '1,234'; expected a number without a comma, which may part thousands$/],
    ['hexadecimal', 'score,label\n0x10,0\n', /x\.csv, line 2: column 1 is '0x10'; expected a number$/],
    ['NA among logits', 'score,label\nNA,0\n', /x\.csv, line 2: column 1 is 'NA'; expected a number$/],
  ])('refuses %s', async (_, content, message) => {
    await expect(readAll({ file: file('x.csv', content) })).rejects.toThrow(message)
  })
})
