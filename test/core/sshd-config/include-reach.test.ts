import { expect, test } from 'vitest'
import { describePlace } from '../../../agent/core/sshd-config/directive.ts'
import { reachOf, settingsBefore } from '../../../agent/core/sshd-config/include-reach.ts'
import { scanSshdConfig } from '../../../agent/core/sshd-config/scan.ts'
import { memoryFiles } from './memory-files.ts'

const OURS = '/etc/ssh/sshd_config.d/pomerium-ca.conf'
const KEYWORD = 'TrustedUserCAKeys'
const D = '/etc/ssh/sshd_config.d'

function scan(text: string, dropIns: Record<string, string> = {}) {
  const files = Object.entries(dropIns).map(([name, content]) => [`${D}/${name}`, content])
  return scanSshdConfig('/c', memoryFiles({ '/c': text, ...Object.fromEntries(files) }))
}

test.each([
  ['Debian', `Include ${D}/*.conf`, 'reached', 1],
  ['a relative pattern', 'Include sshd_config.d/*.conf', 'reached', 1],
  ['the second pattern', `\nInclude /x ${OURS}`, 'reached', 2],
  ['a named file of others', `Include ${D}/50-cloud.conf`, 'not-reached', undefined],
  ['no Include', 'Port 22', 'not-reached', undefined],
  ['commented out', `#Include ${D}/*.conf`, 'not-reached', undefined],
  ['within a block', `Match User u\nInclude ${D}/*.conf`, 'only-in-match', 2],
  ['within Match all', `Match all\nInclude ${D}/*.conf`, 'only-in-match', 2],
  ['once in, once out', `Include /in-match\nInclude ${D}/*.conf`, 'reached', 2],
])('%s', (_, text, kind, line) => {
  const directives = scanSshdConfig(
    '/c',
    memoryFiles({ '/c': text, '/in-match': `Match User u\nInclude ${OURS}` }),
  )
  const reach = reachOf(OURS, directives)
  expect(reach.kind).toBe(kind)
  expect(reach.kind === 'not-reached' ? undefined : reach.at.line).toBe(line)
})

test.each([
  ['a file that sorts before', { '00-x.conf': `\n${KEYWORD} /a` }, [`${D}/00-x.conf:2`]],
  ['not one that sorts after', { 'q.conf': `${KEYWORD} /a` }, []],
  ['capitals sort before', { 'Z.conf': `${KEYWORD} /a` }, [`${D}/Z.conf:1`]],
  ['nor the file itself', { 'pomerium-ca.conf': `${KEYWORD} /a` }, []],
  ['in a block too', { '0.conf': `Match User u\n${KEYWORD} /a` }, [`${D}/0.conf:2`]],
])('before the file, in its folder: %s', (_, dropIns, places) => {
  const directives = scan(`Include ${D}/*.conf\n${KEYWORD} /late`, dropIns)
  expect(settingsBefore(OURS, directives, KEYWORD).map(describePlace)).toEqual(places)
})

test('before the file: what stands above the Include, in earlier patterns and in files they include', () => {
  const directives = scanSshdConfig(
    '/c',
    memoryFiles({
      '/c': `${KEYWORD} /1\nInclude /0/* ${D}/*.conf /z\n${KEYWORD} /late`,
      '/0/a': `Include /z\n${KEYWORD} /2`,
      '/z': `${KEYWORD} /3`,
      [`${D}/00.conf`]: `Include /z`,
      [`${D}/zz.conf`]: `${KEYWORD} /late\nInclude /z`,
    }),
  )
  const before = settingsBefore(OURS, directives, KEYWORD)
  expect(before.map(describePlace)).toEqual(['/c:1', '/z:1', '/0/a:2', '/z:1'])
})

test('before a file that is not reached: everything', () => {
  const directives = scan(`${KEYWORD} /a\nMatch all\n${KEYWORD} /b`)
  expect(settingsBefore(OURS, directives, KEYWORD).map(describePlace)).toEqual(['/c:1', '/c:3'])
})

test('before a file that only a block reaches: what stands above that Include', () => {
  const directives = scan(`${KEYWORD} /a\nMatch User u\nInclude ${D}/*.conf\n${KEYWORD} /b`)
  expect(settingsBefore(OURS, directives, KEYWORD).map(describePlace)).toEqual(['/c:1'])
})
