import { expect, test } from 'vitest'
import { parseListener } from '../../../agent/provisioner/sshd/listener-argv.ts'

const SSHD = '/usr/sbin/sshd'

test.each([
  ['Debian', 'sshd: /usr/sbin/sshd -D [listener] 0 of 10-100 startups\0', [SSHD, '-D']],
  ['sysvinit', 'sshd: /usr/sbin/sshd [listener] 1 of 10-100 startups\0', [SSHD]],
  ['several ends', 'sshd: /usr/sbin/sshd -D [listener] 0 of 10-100 startups\0\0\0', [SSHD, '-D']],
  [
    'values with blanks',
    'sshd: /usr/sbin/sshd -D -f /etc/ssh/other config -o Port 2222 -oLogLevel=INFO -4 [listener] 0 of 10-100 startups\0',
    [SSHD, '-D', '-f', '/etc/ssh/other config', '-o', 'Port 2222', '-oLogLevel=INFO', '-4'],
  ],
  ['a value in the same word', 'sshd: /usr/sbin/sshd -Df /x y [listener] 0', [SSHD, '-Df', '/x y']],
])('%s: it says that it listens', (_, cmdline, argv) => {
  expect(parseListener(cmdline)).toEqual({ argv, announced: true })
})

test.each([
  ['before 8.2, and before its title', '/usr/sbin/sshd\0-D\0', [SSHD, '-D']],
  [
    'options with letters of others',
    '/usr/sbin/sshd\0-D\0-oTrustedUserCAKeys=/t\0',
    [SSHD, '-D', '-oTrustedUserCAKeys=/t'],
  ],
  ['a value that looks like a flag', '/usr/sbin/sshd\0-f\0-t\0', [SSHD, '-f', '-t']],
  ['a title cut off', 'sshd: /usr/sbin/sshd -D -o Ma\0', [SSHD, '-D', '-o', 'Ma']],
])('%s: it listens, perhaps', (_, cmdline, argv) => {
  expect(parseListener(cmdline)).toEqual({ argv, announced: false })
})

test.each([
  ['a session', 'sshd: alice [priv]\0'],
  ['a session of a terminal', 'sshd: alice@pts/0\0'],
  ['a connection', 'sshd: [accepted]\0\0'],
  ['a connection from 9.8 on', 'sshd-session: alice [priv]\0'],
  ['a connection executed anew', '/usr/sbin/sshd\0-D\0-R\0'],
  ['a connection of inetd', '/usr/sbin/sshd\0-i\0'],
  ['a test', '/usr/sbin/sshd\0-t\0'],
  ['a dump', '/usr/sbin/sshd\0-T\0-C\0user=alice\0'],
  ['a test among flags', '/usr/sbin/sshd\0-Dtf\0/etc/x\0'],
  ['a client', 'ssh\0host\0'],
  ['an editor', 'vi\0/usr/sbin/sshd\0'],
  ['a kernel thread', ''],
])('%s: it does not', (_, cmdline) => {
  expect(parseListener(cmdline)).toBeUndefined()
})
