import { expect, test } from 'vitest'
import { parseConfigLine } from '../../../agent/core/sshd-config/parse-line.ts'

test.each([
  ['TrustedUserCAKeys /a', 'trustedusercakeys', ['/a']],
  ['  TRUSTEDUSERCAKEYS\t/a \t\r', 'trustedusercakeys', ['/a']],
  ['Port 22\f', 'port', ['22']],
  ['Port=22', 'port', ['22']],
  ['Port \t=\t 22', 'port', ['22']],
  ['Port = =22', 'port', ['=22']],
  ['Port ==22', 'port', ['=22']],
  ['= Port 22', 'port', ['22']],
  ['"Port" 22', 'port', ['22']],
  ['"Port"=22', 'port', ['=22']],
  ['Po"rt"22', 'port', ['22']],
  ['Port', 'port', []],
  ['Match User alice Address 10.0.0.0/8', 'match', ['User', 'alice', 'Address', '10.0.0.0/8']],
  ['Include "/a b/*.conf" c', 'include', ['/a b/*.conf', 'c']],
  ['Banner \'/a "b"\'', 'banner', ['/a "b"']],
  ['Banner /a" b"c', 'banner', ['/a bc']],
  ['Banner "/a\\"b\\\\c\\d"', 'banner', ['/a"b\\c\\d']],
  ['Banner /a\\ b', 'banner', ['/a b']],
  ['Banner "/a\\ b"', 'banner', ['/a\\ b']],
  ['Banner ""', 'banner', ['']],
  ['Banner /a # note', 'banner', ['/a']],
  ['Banner /a#b', 'banner', ['/a#b']],
  ['Banner "#a"', 'banner', ['#a']],
  ['\u{feff}Port 22', '\u{feff}port', ['22']],
] as const)('%j', (text, keyword, args) => {
  expect(parseConfigLine(text)).toEqual({ keyword, args })
})

test.each([
  '',
  ' \t',
  '\r',
  '#',
  '# Port 22',
  ' \t#Port 22',
  '=',
  '"',
  '"Port 22',
  'Po"rt 22',
  '"# a" b',
])('%j sets nothing', text => {
  expect(parseConfigLine(text)).toBeUndefined()
})

test.each(['Banner "/a', "Banner '/a", 'Banner /a"', 'Banner "/a\''])(
  '%j is refused by sshd',
  text => {
    expect(parseConfigLine(text)).toBeUndefined()
  },
)
