import { expect, test } from 'vitest'
import { parseTargets, statusUrl } from '../../../agent/publisher/notify/targets.ts'

test.each([
  ['web1', 'http://web1:9444/webhook/rotation'],
  ['web1:80', 'http://web1/webhook/rotation'],
  ['web1.example.com:9500', 'http://web1.example.com:9500/webhook/rotation'],
  ['192.0.2.7', 'http://192.0.2.7:9444/webhook/rotation'],
  ['2001:db8::7', 'http://[2001:db8::7]:9444/webhook/rotation'],
  ['[2001:db8::7]:9500', 'http://[2001:db8::7]:9500/webhook/rotation'],
  ['https://web1', 'https://web1:9444/webhook/rotation'],
  ['https://web1/', 'https://web1:9444/webhook/rotation'],
  ['https://web1:443', 'https://web1/webhook/rotation'],
  ['https://proxy/hosts/web1', 'https://proxy/hosts/web1'],
])('%s is at %s', (name, url) => {
  expect(parseTargets(name, 'hosts')).toEqual({ kind: 'targets', targets: [{ name, url }] })
})

test.each([
  ['http://web1:9444/webhook/rotation', 'http://web1:9444/webhook/status'],
  ['https://proxy/hosts/web1/rotation', 'https://proxy/hosts/web1/status'],
  ['https://proxy/hosts/web1', undefined],
])('beside %s its status is at %s', (url, place) => {
  expect(statusUrl(url)).toBe(place)
})

test('comments, blank lines and a secret of its own', () => {
  const text = '# web\nweb1 # the first\n\n  web2 secret-file=/etc/b\r\n'
  expect(parseTargets(text, 'hosts')).toEqual({
    kind: 'targets',
    targets: [
      { name: 'web1', url: 'http://web1:9444/webhook/rotation' },
      { name: 'web2', url: 'http://web2:9444/webhook/rotation', secretFile: '/etc/b' },
    ],
  })
})

test('all problems at once, by line, without what a URL may hide', () => {
  const lines = ['web1', 'https://user:pass@web2', 'ftp://web3', 'web1:9444', 'web4 colour=red']
  const parsed = parseTargets(lines.join('\n'), 'fleet')
  expect(parsed).toEqual({
    kind: 'problems',
    problems: [
      expect.stringMatching(/^fleet:2: no host/),
      expect.stringMatching(/^fleet:3: no host/),
      'fleet:4: the same host as "web1"',
      expect.stringMatching(/^fleet:5: "colour=red" is no option/),
    ],
  })
  expect(JSON.stringify(parsed)).not.toContain('pass')
})

test.each(['', '# nobody\n'])('%j names nobody', text => {
  expect(parseTargets(text, 'fleet')).toMatchObject({ problems: ['fleet: no host in it'] })
})
