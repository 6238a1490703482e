import { describe, expect, test } from 'vitest'
import type { ConfigError } from '../../../agent/core/config/config.ts'
import { parseConfig } from '../../../agent/core/config/parse-config.ts'
import { environmentName, SETTING_NAMES } from '../../../agent/core/config/settings.ts'

const FINGERPRINT = `SHA256:${'a'.repeat(43)}`
const parse = (text: string, environment = {}) =>
  parseConfig({ name: 'agent.yaml', text }, environment)

function config(text: string, environment = {}) {
  const parsed = parse(text, environment)
  if ('errors' in parsed) expect.fail(parsed.errors.map(error => error.message).join('; '))
  return parsed.config
}

function errors(text: string, environment = {}): ConfigError[] {
  const parsed = parse(text, environment)
  return 'errors' in parsed ? parsed.errors : []
}

test('defaults', () => {
  expect(config('')).toEqual({
    source: { pollIntervalSeconds: 300, longPoll: false },
    trust: {},
    sshd: {
      caFile: '/var/lib/pomerium/pomerium_user_ca_key.pub',
      dropIn: '/etc/ssh/sshd_config.d/pomerium-ca.conf',
      conflict: 'refuse',
      restart: 'rotation',
    },
    webhook: {},
    metrics: {},
  })
})

test('the CA file does not lie where the list of revoked keys does', () => {
  const name = 'pomerium_revoked_user_ca_keys'
  expect(errors(`sshd: { ca_file: /x/${name} }`)).toMatchObject([
    { message: expect.stringContaining('sshd.ca_file needs another name') },
  ])
  expect(errors(`sshd: { ca_file: /${name}/ca.pub }`)).toEqual([])
})

test('every setting', () => {
  const text = `
source: { url: 'https://ca.example.com/b', token_file: /t, ca_file: /c, json_pointer: /data/ca.pub, poll_interval: 1h30m, long_poll: true }
trust: { signers_file: /etc/pomerium/bundle-signers, fingerprints: ['${FINGERPRINT}'] }
sshd:
  ca_file: /x/ca.pub
  drop_in: /x/ca.conf
  conflict: adopt
  restart: config-change
  accept_from: [203.0.113.0/24, '2001:db8::/32', 192.0.2.7]
  exempt_from_penalties: [203.0.113.9]
  restart_command: [service, ssh, restart]
webhook: { listen: '[::]:9444', secret_file: /s, tls_cert_file: /c.pem, tls_key_file: /k.pem }
metrics: { textfile: /m.prom }
`
  expect(config(text)).toEqual({
    source: {
      url: new URL('https://ca.example.com/b'),
      tokenFile: '/t',
      caFile: '/c',
      jsonPointer: '/data/ca.pub',
      pollIntervalSeconds: 5400,
      longPoll: true,
    },
    trust: { signersFile: '/etc/pomerium/bundle-signers', fingerprints: [FINGERPRINT] },
    sshd: {
      caFile: '/x/ca.pub',
      dropIn: '/x/ca.conf',
      conflict: 'adopt',
      restart: 'config-change',
      acceptFrom: ['203.0.113.0/24', '2001:db8::/32', '192.0.2.7'],
      exemptFromPenalties: ['203.0.113.9'],
      restartCommand: ['service', 'ssh', 'restart'],
    },
    webhook: {
      listen: '[::]:9444',
      secretFile: '/s',
      tlsCertFile: '/c.pem',
      tlsKeyFile: '/k.pem',
    },
    metrics: { textfile: '/m.prom' },
  })
})

test('the environment wins over the file; lists are separated by commas', () => {
  const environment = {
    POMERIUM_HOST_AGENT_SOURCE_URL: 'https://other.example.com/',
    POMERIUM_HOST_AGENT_SSHD_ACCEPT_FROM: '10.0.0.0/8, 192.0.2.0/24',
    POMERIUM_HOST_AGENT_SOURCE_LONG_POLL: 'true',
    UNRELATED: 'x',
  }
  const { source, sshd } = config('source: { url: https://ca.example.com/ }', environment)
  expect(source).toMatchObject({ url: new URL('https://other.example.com/'), longPoll: true })
  expect(sshd.acceptFrom).toEqual(['10.0.0.0/8', '192.0.2.0/24'])
  expect(sshd.exemptFromPenalties).toEqual(sshd.acceptFrom)
})

describe('errors', () => {
  test('all at once, each with its line', () => {
    const text = `source:
  url: ftp://example.com/
  poll_interval: 5
sorce:
  url: x
sshd:
  conflict: maybe
  colour: blue
  accept_from: [10.0.0.1/8]
`
    expect(errors(text).map(({ where, line }) => `${where}:${line}`)).toEqual([
      'agent.yaml:4',
      'agent.yaml:8',
      'agent.yaml:2',
      'agent.yaml:3',
      'agent.yaml:7',
      'agent.yaml:9',
    ])
  })

  test.each([
    ['source: { url: http://ca.example.com/ }', /plain http/],
    ['source: { url: "https://user:hunter2@ca.example.com/" }', /user name or password/],
    ['source: { json_pointer: data }', /RFC 6901/],
    ['source: { poll_interval: 1s }', /between 10s and 24h/],
    ['source: { long_poll: maybe }', /true or false/],
    ['trust: { fingerprints: [] }', /without a value/],
    ['trust: { fingerprints: [MD5:aa] }', /entry 1 must be SHA256/],
    ['sshd: { ca_file: relative }', /absolute path/],
    ['sshd: { ca_file: "/a b" }', /absolute path/],
    ['sshd: { ca_file: /a/../b }', /"\.\."/],
    ['sshd: { drop_in: /etc/ssh/sshd_config.d/x }', /end in \.conf/],
    ['sshd: { ca_file: /x.conf, drop_in: /x.conf }', /two files/],
    ['metrics: { textfile: /var/lib/x/agent }', /end in \.prom/],
    ['source: { url: "file:///b", long_poll: true }', /hold a request/],
    ['sshd: { accept_from: ["::1/129"] }', /entry 1 must be an address/],
    ['webhook: { listen: 9444, secret_file: /s }', /address:port/],
    ['webhook: { listen: 0.0.0.0:9444 }', /needs webhook.secret_file/],
    ['webhook: { tls_cert_file: /c }', /tls_cert_file needs webhook.tls_key_file/],
    ['webhook: { tls_key_file: /k }', /tls_key_file needs webhook.tls_cert_file/],
    [
      'webhook: { tls_cert_file: /cert/host, tls_key_file: /key/host }',
      /tls_key_file and webhook.tls_cert_file need different file names/,
    ],
    [
      'source: { token_file: /a/x, ca_file: /b/x }',
      /ca_file and source.token_file need different file names/,
    ],
    [
      'source: { ca_file: /b/x }\nwebhook: { secret_file: /a/x }',
      /secret_file and source.ca_file need different file names/,
    ],
    ['source: [', /./],
    ['source: { url: https://a/ }\nsource: { url: https://b/ }', /unique/],
    ['- a', /sections/],
    ['source: x', /settings/],
  ])('%s', (text, message) => {
    const found = errors(text)
    expect(found).toHaveLength(1)
    expect(found[0]?.message).toMatch(message)
    expect(found[0]?.message).not.toContain('hunter2')
  })

  test('a variable that is no setting', () => {
    const found = errors('', { POMERIUM_HOST_AGENT_SOURCE_ULR: 'x' })
    expect(found).toMatchObject([{ where: 'POMERIUM_HOST_AGENT_SOURCE_ULR' }])
  })
})

describe('what is written without a value is an error with its line, never unset', () => {
  const NOTHINGS = [
    '',
    ' # /etc/pomerium/x',
    ' ~',
    ' null',
    " ''",
    ' "  "',
    ' []',
    ' {}',
    ' &x',
    ' !!null',
  ]

  test.each(SETTING_NAMES.flatMap(name => NOTHINGS.map(nothing => [name, nothing] as const)))(
    '%s:%s',
    (name, nothing) => {
      const [section, key] = name.split('.')
      expect(errors(`# a template\n${section}:\n  ${key}:${nothing}\n`)).toEqual([
        {
          where: 'agent.yaml',
          line: 3,
          message: `${name} is written without a value: give it one, or take the line out`,
        },
      ])
    },
  )

  test.each([
    '',
    ' {}',
    ' ~',
    ' # signers_file: /etc/pomerium/bundle-signers',
    '\n  # fingerprints: []',
  ])('a section: trust:%s', nothing => {
    expect(errors(`sshd: {conflict: adopt}\ntrust:${nothing}\n`)).toMatchObject([
      { line: 2, message: expect.stringMatching(/^trust is written without a value/) },
    ])
  })

  test('an empty file, or one of comments, holds nothing and is well', () => {
    for (const text of ['', '# trust:\n', '\uFEFF']) expect(errors(text)).toEqual([])
  })

  test.each(SETTING_NAMES)('the variable of %s, set to nothing', name => {
    const variable = environmentName(name)
    const opens = /^(trust\.|sshd\.(accept_from|exempt_from_penalties)$)/.test(name)
    const expected = [{ where: variable, message: expect.stringMatching(/is set to nothing/) }]
    expect(errors('', { [variable]: '' })).toEqual(opens ? expected : [])
    // Nor does it give way to the file.
    expect(errors('', { [variable]: ' ' })).toMatchObject([{ where: variable }])
    expect(errors('', { [variable]: undefined })).toEqual([])
  })
})

describe('YAML that another reader could take otherwise is an error with its line', () => {
  const SIGNED = 'trust: {signers_file: /s}\n'
  test.each([
    ['a key twice', `${SIGNED}trust: {fingerprints: ['${FINGERPRINT}']}`, 2, /unique/],
    ['a setting twice', 'trust:\n  signers_file: /s\n  "signers_file": /t', 3, /unique/],
    ['a merge key', `a: &a {signers_file: /s}\ntrust: {<<: *a}`, 2, /aliases/],
    [
      'a merge key of YAML 1.1',
      '%YAML 1.1\n---\ntrust:\n  <<: {signers_file: /s}',
      4,
      /not a setting/,
    ],
    ['an alias', 'metrics: {textfile: &a /s.prom}\ntrust: {signers_file: *a}', 2, /aliases/],
    ['an alias of nothing', 'trust: {signers_file: *a}', 1, /aliases/],
    ['an alias as a key', 'sshd: {conflict: &trust adopt}\n*trust : {}', 2, /aliases/],
    ['a tag', 'trust: {signers_file: !vault /s}', 1, /tag/i],
    ['another version', `%YAML 3.0\n---\n${SIGNED}`, 1, /version/],
    ['a second document', `${SIGNED}---\nsshd: {conflict: adopt}`, 2, /second document/],
    ['a tab', 'trust:\n\tsigners_file: /s', 2, /[Tt]ab/],
    [
      'a setting outside its section',
      'sshd: {conflict: adopt}\nsigners_file: /s',
      2,
      /not a section/,
    ],
    ['__proto__', '__proto__: {signers_file: /s}', 1, /not a section/],
    ['constructor', 'trust:\n  constructor: {name: x}', 2, /not a setting/],
    ['__proto__ in a value', 'trust:\n  fingerprints: {__proto__: [x], length: 1}', 2, /list of/],
    ['a NUL in a key', 'trust:\n  signers_file\0: /s', 2, /not a setting/],
    ['a list of nothing', 'trust: {fingerprints: [~]}', 1, /entry 1/],
    ['a list that ends in nothing', `trust: {fingerprints: ['${FINGERPRINT}', '']}`, 1, /entry 2/],
    ['a key alone', '? trust', 1, /without a value/],
  ])('%s', (_, text, line, message) => {
    const found = errors(text)
    expect(found[0]).toMatchObject({ line, message: expect.stringMatching(message) })
  })
})

test('a template that was not filled in is an error, and nothing is said beside it', async () => {
  const said: Error[] = []
  const hear = (warning: Error) => void said.push(warning)
  process.on('warning', hear)
  expect(errors('source:\n  url: {{ url }}\n')).toHaveLength(1)
  await new Promise(setImmediate)
  process.off('warning', hear)
  expect(said).toEqual([])
})
