// Signers files as administrators write them, and as no one would: whom they let sign, by us and by
// ssh-keygen (find-principals, then verify for each that it finds, and for the one that we found: it
// looks no further than the first line of a key).

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { parseAllowedSigners } from '../../agent/core/trust/allowed-signers.ts'
import { acceptBundle } from '../../agent/core/trust/trust.ts'
import { localTime } from '../../agent/provisioner/openssh/local-time.ts'
import { campaign } from '../campaign.ts'
import { newKeyLine } from '../ssh-keys.ts'
import { newSigner } from '../sshsig.ts'
import { askMany } from './ask-many.ts'
import { describeTier } from './describe-tier.ts'
import { type TempDir, tempDir } from './temp-dir.ts'
import { findTools } from './tools.ts'

// In summer, in a zone that has one.
const NOW = new Date('2026-07-01T12:00:00Z')
const ZONE = 'Europe/Berlin'
const TEXT = `# serial: 7\n${newKeyLine('ed25519')} ca\n`
const SIGNER = newSigner('ed25519')
const STRANGER = newSigner('p256')
const BUNDLE = Buffer.from(SIGNER.sign(TEXT))

const pick = <T>(...values: T[]) => fc.constantFrom(...values)
/** Mostly the first, at times one of the others. */
const mostly = <T>(usual: T, ...others: T[]) =>
  fc.oneof({ weight: 16, arbitrary: fc.constant(usual) }, { weight: 1, arbitrary: pick(...others) })

const name = fc.oneof(
  {
    weight: 10,
    arbitrary: pick('ops', 'ops@example.com', '*', '*@example.com', 'o?s', 'a b', 'é', '?é'),
  },
  {
    weight: 1,
    arbitrary: pick('!*', '!ops', '!o*', '!?', '!??', '!', '', '!!ops', 'x'.repeat(1024)),
  },
  { weight: 1, arbitrary: fc.string({ maxLength: 8, unit: 'binary' }) },
)
const principals = fc
  .tuple(fc.array(name, { minLength: 1, maxLength: 3 }), fc.integer({ min: 0, max: 9 }))
  .map(([names, quotes]) => {
    const list = names.join(',')
    return quotes < 6 ? list : quotes < 9 ? `"${list}"` : `${list.slice(0, 1)}"${list.slice(1)}"`
  })

const two = (value: number) => String(value).padStart(2, '0')
const time = fc
  .record({
    year: pick(
      '2026',
      '2026',
      '2026',
      '2026',
      '2026',
      '2025',
      '2027',
      '1969',
      '1970',
      '2038',
      '2107',
      '9999',
      '0000',
      '26',
    ),
    month: fc.oneof(pick(7, 1, 12), fc.nat(13)),
    day: fc.oneof(pick(1, 2, 30), fc.nat(32)),
    hour: fc.oneof(pick(11, 12, 13, 14, 15, 16), fc.nat(25)),
    minute: fc.oneof(pick(0), fc.nat(60)),
    second: fc.oneof(pick(0, 1), fc.nat(61)),
    parts: pick(3, 5, 6, 4),
    zone: mostly('Z', '', '', '', 'z', 'UTC', 'utc', '+02', ' ', 'ZZ'),
  })
  .map(({ year, month, day, hour, minute, second, parts, zone }) => {
    const all = [year, two(month), two(day), two(hour), two(minute), two(second)]
    return all.slice(0, parts).join('') + zone
  })
const namespaces = fc.oneof(
  pick(
    'pomerium-user-ca',
    'pomerium-user-ca',
    '*',
    'pomerium-*',
    'file,pomerium-user-ca',
    'pomerium?user?ca',
  ),
  pick(
    'file',
    '',
    '*,!pomerium-user-ca',
    '!file',
    '!file,*',
    'Pomerium-user-ca',
    'a\\"b,*',
    ' *',
    `${'x'.repeat(1024)},*`,
  ),
)
const cased = (text: string) =>
  mostly(text, text.toUpperCase(), `${text.slice(0, 1).toUpperCase()}${text.slice(1)}`)
const option = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.tuple(cased('namespaces'), namespaces).map(([key, value]) => `${key}="${value}"`),
  },
  {
    weight: 4,
    arbitrary: fc.tuple(cased('valid-after'), time).map(([key, value]) => `${key}="${value}"`),
  },
  {
    weight: 4,
    arbitrary: fc.tuple(cased('valid-before'), time).map(([key, value]) => `${key}="${value}"`),
  },
  {
    weight: 1,
    arbitrary: pick(
      ...['cert-authority', 'verify-required', 'namespaces', 'namespaces=file', 'namespaces="file'],
      ...['valid-before=20200101', 'constructor="x"', '__proto__="x"', '=""', '"', 'restrict'],
    ),
  },
)
const options = fc
  .tuple(
    fc.array(option, { maxLength: 3, size: 'small' }),
    mostly(',', ', ', ',,', ';', ' ,'),
    mostly('', ','),
  )
  .map(([list, comma, end]) => (list.length === 0 ? '' : list.join(comma) + end))
const key = mostly(
  SIGNER.line,
  ...[STRANGER.line, SIGNER.line.slice(0, -3), `${SIGNER.line} a "comment"`, newKeyLine('ed25519')],
  ...[SIGNER.line.replace(' ', '\t  '), SIGNER.line.replace(' ', '\u00a0'), 'ssh-ed25519', ''],
)
const blank = mostly(' ', '\t', '  ', '\u00a0', '\v', '\f', '')
const line = fc
  .record({
    before: mostly('', ' ', '\t', '\r', '\ufeff', '\u00a0', '\v'),
    principals,
    blank,
    options,
    key,
    after: mostly('', ' ', '\r', '\0', '\0x', ' #', '\u00a0', '\u2028'),
  })
  .map(({ before, principals, blank, options, key, after }) =>
    [before, principals, blank, options, options === '' ? '' : blank, key, after].join(''),
  )
const other = pick(
  '',
  '# a comment',
  ' # another',
  '#\0',
  '\u00a0# none',
  '\r',
  '\v',
  `else ${STRANGER.line}`,
  'nonsense',
)
const file = fc
  .record({
    lines: fc.array(fc.oneof({ weight: 3, arbitrary: line }, { weight: 1, arbitrary: other }), {
      minLength: 1,
      maxLength: 3,
    }),
    end: mostly('\n', '\r\n', '\r', '\n\n'),
    last: mostly(true, false),
    // A byte that is no UTF-8, somewhere.
    odd: fc.oneof({ weight: 15, arbitrary: fc.constant(null) }, { weight: 1, arbitrary: fc.nat() }),
  })
  .map(({ lines, end, last, odd }) => {
    const bytes = Buffer.from(lines.join(end) + (last ? end : ''))
    if (odd === null) return bytes
    const at = odd % (bytes.length + 1)
    return Buffer.concat([bytes.subarray(0, at), Buffer.of(0xff), bytes.subarray(at)])
  })

/**
 * Where we are stricter. ssh-keygen passes over a line that it can't read, and over a file's other bad
 * lines; we refuse the file, for each of these reasons.
 */
const STRICTER: [what: string, reason: RegExp][] = [
  ['a line that is none', /^a line is: principals/],
  ['a public key alone, which ssh-keygen passes over', /^a public key alone; /],
  [
    'a line without a key, or with a damaged one',
    /not a public key line|is not whole base64|cut off/,
  ],
  ['options in no form', /^the options are name="value"|is no option|^no option "/],
  ['an option twice, where the first was empty or is taken again', /is given twice$/],
  ['a limit for certificates', /^cert-authority is not supported/],
  ['a line that lets nobody sign', /^none of its principals may sign/],
  ['control characters, and what is no text', /^a control character$|^not UTF-8$/],
  ['a time that does not exist, or before 1970', /must be YYYYMMDD|must be after 1970/],
  ['no time between the two', /^valid-before is not after valid-after/],
  ['no line but comments, to us', /^no signer in it$/],
  ['a local time, by the stricter reading', /^signer-(expired|not-yet-valid) in local time$/],
]

describeTier('any signers file, read by us and by ssh-keygen', findTools(), () => {
  let folder: TempDir
  const zone = process.env.TZ
  beforeAll(async () => {
    folder = await tempDir()
    process.env.TZ = ZONE
  })
  afterAll(async () => {
    if (zone === undefined) delete process.env.TZ
    else process.env.TZ = zone
    await folder[Symbol.asyncDispose]()
  })

  test('we let none sign whom ssh-keygen does not', { timeout: 1_800_000 }, async () => {
    const at = (name: string | number) => join(folder.path, String(name))
    writeFileSync(at('text'), TEXT)
    writeFileSync(at('sig'), BUNDLE.subarray(TEXT.length))
    const params = campaign('signers files', { slice: 400, whole: 5_000 })
    const files = fc.sample(file, params)
    const byUs = files.map(ours)
    for (const [index, bytes] of files.entries()) {
      writeFileSync(at(`${index}.signers`), bytes)
      writeFileSync(at(`${index}.ours`), byUs[index]?.principal ?? '')
    }
    const now = `-Overify-time=${NOW.toISOString().replaceAll(/\D/g, '').slice(0, 14)}Z`
    const verify = `ssh-keygen -Y verify -n pomerium-user-ca -f $i.signers -s sig ${now}`
    const asked = `
      { ssh-keygen -Y find-principals -s sig -f $i.signers ${now}; cat $i.ours; } >$i.names
      good=no; while IFS= read -r name; do
        ${verify} -I "$name" <text && good=yes && break
      done <$i.names
      test $good = yes`
    const theirs = await askMany(folder.path, files.length, asked, { TZ: ZONE })
    const judged = files.map((bytes, index) => ({
      bytes,
      theirs: theirs[index],
      ...(byUs[index] ?? ours(bytes)),
    }))
    const laxer = judged.filter(({ taken, theirs }) => taken && theirs !== true)
    expect(laxer.map(({ bytes, why }) => ({ file: bytes.toString('latin1'), why }))).toEqual([])
    const stricter = judged.filter(({ taken, theirs }) => !taken && theirs === true)
    const unnamed = stricter.filter(({ why }) => !STRICTER.some(([, reason]) => reason.test(why)))
    expect(unnamed.map(({ bytes, why }) => ({ file: bytes.toString('latin1'), why }))).toEqual([])
    // Or it would prove nothing.
    expect(judged.filter(({ taken }) => taken).length).toBeGreaterThan(params.numRuns / 50)
  })
})

/** `principal`: by which it is taken, as a line. */
function ours(bytes: Buffer): { taken: boolean; why: string; principal: string } {
  const refused = (why: string) => ({ taken: false, why, principal: '' })
  const parsed = parseAllowedSigners(bytes.toString(), localTime)
  if ('faults' in parsed) return refused(parsed.faults[0]?.message ?? '')
  const { signers } = parsed
  const verdict = acceptBundle(BUNDLE, undefined, { signers }, NOW)
  if (verdict.kind === 'accepted') {
    return { taken: true, why: '', principal: `${verdict.question?.principal}\n` }
  }
  const local = signers.some(({ inLocalTime }) => inLocalTime) ? ' in local time' : ''
  return refused(`${verdict.code}${local}`)
}
