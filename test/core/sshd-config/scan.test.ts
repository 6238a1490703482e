import { expect, test } from 'vitest'
import { describePlace, isUnconditional } from '../../../agent/core/sshd-config/directive.ts'
import { scanSshdConfig } from '../../../agent/core/sshd-config/scan.ts'
import { memoryFiles } from './memory-files.ts'

const START = '/etc/ssh/sshd_config'

function scan(files: Record<string, string>) {
  return scanSshdConfig(START, memoryFiles(files))
}

/** `place scope keyword args` of each line. */
function shown(files: Record<string, string>): string[] {
  return scan(files).map(directive => {
    const scope = directive.matches.map(block => `[${describePlace(block)}]`).join('')
    return `${describePlace(directive)} ${scope}${directive.keyword} ${directive.args.join(' ')}`
  })
}

test('lines come in the order of reading, with their places', () => {
  expect(
    shown({
      [START]: '# first\nInclude sshd_config.d/*.conf /etc/extra\n\nPort 22\n',
      '/etc/ssh/sshd_config.d/20.conf': 'Port 20\n',
      '/etc/ssh/sshd_config.d/10.conf': '\n\nPort 10',
      '/etc/ssh/sshd_config.d/.10.conf': 'Port 1',
      '/etc/extra': 'Port 30',
    }),
  ).toEqual([
    '/etc/ssh/sshd_config:2 include /etc/ssh/sshd_config.d/*.conf /etc/extra',
    '/etc/ssh/sshd_config.d/10.conf:3 port 10',
    '/etc/ssh/sshd_config.d/20.conf:1 port 20',
    '/etc/extra:1 port 30',
    '/etc/ssh/sshd_config:4 port 22',
  ])
})

test('a Match block ends at the next one and with its file, and holds for what it includes', () => {
  expect(
    shown({
      [START]: 'Include /a\nPort 1\nMatch User u\nInclude /a\nPort 2\nMatch all\nPort 3',
      '/a': 'Port 4\nMatch Address 10.0.0.0/8\nPort 5',
    }),
  ).toEqual([
    `${START}:1 include /a`,
    '/a:1 port 4',
    '/a:2 match Address 10.0.0.0/8',
    '/a:3 [/a:2]port 5',
    `${START}:2 port 1`,
    `${START}:3 match User u`,
    `${START}:4 [${START}:3]include /a`,
    `/a:1 [${START}:3]port 4`,
    `/a:2 [${START}:3]match Address 10.0.0.0/8`,
    `/a:3 [${START}:3][/a:2]port 5`,
    `${START}:5 [${START}:3]port 2`,
    `${START}:6 match all`,
    `${START}:7 [${START}:6]port 3`,
  ])
})

test('a block tells its criteria, and Match all is known for what it is', () => {
  const [, user, , all] = scan({ [START]: 'Match User "a b"\nPort 1\nMATCH ALL # end\nPort 2' })
  expect(user?.matches).toEqual([{ file: START, line: 1, criteria: ['User', 'a b'] }])
  expect([user, all].map(directive => directive && isUnconditional(directive))).toEqual([
    false,
    true,
  ])
})

test('a line tells which Include led to it', () => {
  const [include, port] = scan({ [START]: 'Include /none /a', '/a': 'Port 1' })
  expect(include?.via).toBeUndefined()
  expect(port?.via).toEqual({ include, pattern: 1 })
})

test('where nothing can be read, nothing is set', () => {
  expect(shown({})).toEqual([])
  expect(shown({ [START]: 'Include /none /also/none/* ~/x\nPort 1' })).toEqual([
    `${START}:1 include /none /also/none/* ~/x`,
    `${START}:2 port 1`,
  ])
})

test('16 levels of Include are read; the 17th ends sshd, and the reading', () => {
  const chain = (levels: number) => {
    const files: Record<string, string> = { [START]: 'Include /1\nPort 99' }
    for (let level = 1; level <= levels; level += 1) {
      files[`/${level}`] = `Port ${level}${level < levels ? `\nInclude /${level + 1}` : ''}`
    }
    return shown(files)
  }
  expect(chain(16).at(-1)).toBe(`${START}:2 port 99`)
  expect(chain(17).at(-1)).toBe('/16:2 include /17')
})

test('a file that includes itself, twice, comes to an end', () => {
  expect(scan({ [START]: `Port 1\nInclude ${START}\nInclude ${START}` })).toHaveLength(17 * 2)
})
