import { expect, test } from 'vitest'
import { describePlace } from '../../../agent/core/sshd-config/directive.ts'
import { globalWinner, overrides } from '../../../agent/core/sshd-config/effective-line.ts'
import { scanSshdConfig } from '../../../agent/core/sshd-config/scan.ts'
import { memoryFiles } from './memory-files.ts'

const KEYWORD = 'TrustedUserCAKeys'

function scan(text: string, dropIn = '') {
  return scanSshdConfig('/c', memoryFiles({ '/c': text, '/d/00-x.conf': dropIn }))
}

test.each([
  ['the first of two', `${KEYWORD} /a\n${KEYWORD} /b`, '', '/c:1'],
  ['a drop-in before', `Include /d/*.conf\n${KEYWORD} /a`, `\n${KEYWORD} /b`, '/d/00-x.conf:2'],
  ['not a drop-in after', `${KEYWORD} /a\nInclude /d/*.conf`, `${KEYWORD} /b`, '/c:1'],
  ['not one in a block', `Include /d/*.conf\n${KEYWORD} /a`, `Match all\n${KEYWORD} /b`, '/c:2'],
  ['nobody', `#${KEYWORD} /a\nPort 22`, '', undefined],
])('at global scope wins %s', (_, text, dropIn, place) => {
  const winner = globalWinner(scan(text, dropIn), KEYWORD)
  expect(winner && describePlace(winner)).toBe(place)
})

test.each([
  ['none', `${KEYWORD} /a`, []],
  [
    'those in blocks, in order',
    `${KEYWORD} /a\nMatch User u\n${KEYWORD} /b\nMatch all\n${KEYWORD} /c`,
    [3, 5],
  ],
  ['those included in a block', `Match User u\nInclude /d/*.conf`, [1]],
])('overrides: %s', (_, text, lines) => {
  const found = overrides(scan(text, `${KEYWORD} /x`), KEYWORD)
  expect(found.map(({ line }) => line)).toEqual(lines)
})

test('an old name of a keyword is the same setting', () => {
  const directives = scan('PubkeyAcceptedKeyTypes a\nPubkeyAcceptedAlgorithms b')
  expect(globalWinner(directives, 'pubkeyacceptedalgorithms')?.args).toEqual(['a'])
  expect(globalWinner(directives, 'PubkeyAcceptedKeyTypes')?.keyword).toBe('pubkeyacceptedkeytypes')
})
