import { describe, expect, test } from 'vitest'
import { parseAllowedSigners } from '../../../agent/core/trust/allowed-signers.ts'
import { newKeyLine } from '../../ssh-keys.ts'

const KEY = newKeyLine('ed25519')
const RSA = newKeyLine('rsa')
// A host two hours east of Greenwich.
const parse = (text: string) =>
  parseAllowedSigners(text, (year, month, day, hour, minute, second) => {
    const time = new Date(Date.UTC(year, month - 1, day, hour - 2, minute, second))
    return { earliest: time, latest: time }
  })

test('lines, comments, blank lines, quotes, options in any case', () => {
  const text = `# who signs
ops@example.com ${KEY} a comment

  *@example.com,!bob@example.com\tnamespaces="pomerium-user-ca,file" ${RSA}\r
"with, blank" VALID-AFTER="20260101",valid-before="20261231235959Z",Namespaces="a\\"b" ${KEY}
`
  expect(parse(text)).toMatchObject({
    signers: [
      { principals: 'ops@example.com', line: 2, key: { comment: 'a comment' } },
      { principals: '*@example.com,!bob@example.com', namespaces: 'pomerium-user-ca,file' },
      {
        principals: 'with, blank',
        validAfter: new Date('2025-12-31T22:00:00Z'),
        validBefore: new Date('2026-12-31T23:59:59Z'),
        namespaces: 'a"b',
        line: 5,
      },
    ],
  })
})

test('of a time that may be two, each end is the stricter one', () => {
  const [earliest, latest] = [new Date('2026-07-01T10:00:00Z'), new Date('2026-07-01T11:00:00Z')]
  const text = `a valid-after="202607011200" ${KEY}\na valid-before="202607011200" ${KEY}\n`
  const parsed = parseAllowedSigners(text, () => ({ earliest, latest }))
  expect(parsed).toMatchObject({
    signers: [
      { validAfter: latest, inLocalTime: true },
      { validBefore: earliest, inLocalTime: true },
    ],
  })
})

test('without its times a line is as it stands', () => {
  const line = `"a, b" NAMESPACES="x\\"y",valid-after="20260101Z",valid-before="20270101Z" ${KEY} it`
  const parsed = parse(`${line}\nops\tvalid-before="20270101Z"\t${KEY}\n*@example.com ${KEY} me\n`)
  expect('signers' in parsed && parsed.signers.map(({ untimed }) => untimed)).toEqual([
    `"a, b" NAMESPACES="x\\"y" ${KEY} it`,
    `ops ${KEY}`,
    `*@example.com ${KEY} me`,
  ])
})

test('a bare public key gets the line to write, which is then a signer', () => {
  for (const key of [KEY, RSA, `${KEY} laptop`]) {
    const parsed = parse(`# mine\n${key}\n`)
    const [fault] = 'faults' in parsed ? parsed.faults : []
    expect(fault).toMatchObject({ line: 2, message: expect.stringMatching(/a public key alone/) })
    expect(parse(`${fault?.instead}\n`)).toMatchObject({
      signers: [{ principal: 'publisher', namespaces: 'pomerium-user-ca' }],
    })
  }
  for (const line of [`${KEY}\u001b[2J`, KEY.slice(0, -4), 'ssh-ed25519']) {
    const parsed = parse(`${line}\n`)
    expect('faults' in parsed && parsed.faults[0]?.instead).toBeUndefined()
  }
})

test.each([
  ['202602281530', '2026-02-28T13:30:00Z'],
  ['202602281530z', '2026-02-28T15:30:00Z'],
  ['20260228153015UTC', '2026-02-28T15:30:15Z'],
  ['20240229Z', '2024-02-29T00:00:00Z'],
])('%s is %s', (time, date) => {
  expect(parse(`a valid-after="${time}" ${KEY}`)).toMatchObject({
    signers: [{ validAfter: new Date(date) }],
  })
})

describe('one bad line refuses the file, and is named', () => {
  test.each([
    ['no key', 'ops@example.com'],
    ['nobody but who is excluded', `!ops@example.com ${KEY}`],
    ['an authority', `ops cert-authority ${KEY}`],
    ['an option that is none', `ops verify-required ${KEY}`],
    ['an option that is none, with a value', `ops principals="x" ${KEY}`],
    ['an option twice', `ops namespaces="a",namespaces="b" ${KEY}`],
    ['no quotes', `ops namespaces=file ${KEY}`],
    ['a quote left open', `ops namespaces="file ${KEY}`],
    ['a quote that ends nothing', `ops namespaces="file\\",valid-after="20260101" ${KEY}`],
    ['a comma at the end', `ops namespaces="file", ${KEY}`],
    ['no comma', `ops namespaces="file"valid-after="20260101" ${KEY}`],
    ['a day that is none', `ops valid-before="20260230" ${KEY}`],
    ['an hour that is none', `ops valid-before="202602282500Z" ${KEY}`],
    ['a time of another form', `ops valid-before="2026-02-28" ${KEY}`],
    ['an end before its beginning', `ops valid-after="2027",valid-before="2026" ${KEY}`],
    ['an end at its beginning', `ops valid-after="20260101",valid-before="20260101" ${KEY}`],
    ['a key cut off', `ops ${KEY.slice(0, -4)}`],
    ['a key cut off behind options', `ops namespaces="file" ${KEY.slice(0, -4)}`],
    ['an empty name', `ops,,dev ${KEY}`],
    ['a name that all are excluded by', `*,!* ${KEY}`],
    ['a name that is excluded byte for byte', `\u00e9,!?? ${KEY}`],
    ['a name too long for ssh-keygen', `${'x'.repeat(1023)} ${KEY}`],
    ['a time before 1970', `ops valid-after="19690101Z" ${KEY}`],
    ['the first second of 1970, which is no limit', `ops valid-before="19700101Z" ${KEY}`],
    ['another blank than ssh-keygen knows', `ops \u00a0${KEY}`],
    ['such a blank in front of a comment', '\u00a0# nobody'],
    ['a carriage return in front', `\rops ${KEY}`],
    ['a form feed in front', `\fops ${KEY}`],
    ['bytes that are no text', `ops\ufffd ${KEY}`],
    ['a short RSA key', `ops ${newKeyLine('rsa', 1024)}`],
    ['a security key', 'ops sk-ssh-ed25519@openssh.com AAAA'],
    ['a control character', `ops\u0007 ${KEY}`],
  ])('%s', (_, line) => {
    expect(parse(`good ${KEY}\n${line}\n`)).toEqual({
      faults: [{ line: 2, message: expect.any(String) }],
    })
  })

  test('a quote left open is a fault of the options, not of a file of another kind', () => {
    expect(parse(`ops namespaces="file ${KEY}\n`)).toEqual({
      faults: [{ line: 1, message: expect.stringContaining('the options are') }],
    })
  })

  test('all at once, and an empty file is one', () => {
    expect(parse('a\nb\n')).toMatchObject({ faults: [{ line: 1 }, { line: 2 }] })
    expect(parse('# nobody\n')).toEqual({ faults: [{ message: 'no signer in it' }] })
  })
})
