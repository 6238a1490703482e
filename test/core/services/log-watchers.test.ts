import { describe, expect, test } from 'vitest'
import {
  judgeLogWatchers,
  type LogWatcher,
  parseIgnored,
  parseJails,
  parseWhitelist,
  whitelistOf,
} from '../../../agent/core/services/log-watchers.ts'

const FROM = ['203.0.113.0/24', '2001:db8::/32']
const jails = (all: Record<string, string[]>): LogWatcher => ({
  program: 'fail2ban',
  jails: new Map(Object.entries(all)),
})
const list = (...spares: string[]): LogWatcher => ({ program: 'sshguard', whitelist: '/w', spares })

describe('who bans, and the lines that keep them from it', () => {
  test.each<[string, LogWatcher, string | undefined, string[] | undefined]>([
    ['no jail of sshd', jails({}), undefined, undefined],
    ['one that ignores all', jails({ sshd: [...FROM, '10.0.0.1'] }), undefined, undefined],
    [
      'one that ignores others',
      jails({ sshd: ['10.0.0.1'] }),
      'fail2ban-bans',
      ['[sshd]', `ignoreip = 10.0.0.1 ${FROM.join(' ')}`],
    ],
    [
      'two, of which one lacks a part',
      jails({ sshd: FROM, 'sshd-ddos': ['203.0.113.0/24'] }),
      'fail2ban-bans',
      ['[sshd-ddos]', `ignoreip = ${FROM.join(' ')}`],
    ],
    ['a silent one', { program: 'fail2ban', silent: 'no' }, 'fail2ban-bans', undefined],
    ['sshguard with them', list(...FROM), undefined, undefined],
    ['sshguard with one of them', list('::1', '2001:db8::/32'), 'sshguard-bans', [FROM[0] ?? '']],
  ])('%s', (_, watcher, code, write) => {
    const [found] = judgeLogWatchers([watcher], FROM)
    expect([found?.code, found?.write]).toEqual([code, write])
    expect(judgeLogWatchers([watcher], undefined)).toEqual([])
  })
})

test('fail2ban-client says jails and addresses', () => {
  const status = 'Status\n|- Number of jail:\t3\n`- Jail list:\tnginx, sshd, my-ssh\n'
  expect(parseJails(status)).toEqual(['sshd', 'my-ssh'])
  expect(parseJails('Status\n|- Number of jail:\t0\n`- Jail list:\t\n')).toEqual([])
  const ignored = 'These IP addresses/networks are ignored:\n|- 127.0.0.0/8\n`- ::1\n'
  expect(parseIgnored(ignored)).toEqual(['127.0.0.0/8', '::1'])
  expect(parseIgnored('No IP address/network is ignored\n')).toEqual([])
})

test('sshguard.conf names the whitelist', () => {
  expect(whitelistOf('# WHITELIST_FILE=/no\nWHITELIST_FILE="/etc/w"  # yes\n')).toBe('/etc/w')
  expect(whitelistOf('#WHITELIST_FILE=/no\n')).toBeUndefined()
  expect(parseWhitelist('# a\n127.0.0.0/8\n\n ::1/128 # b\n')).toEqual(['127.0.0.0/8', '::1/128'])
})
