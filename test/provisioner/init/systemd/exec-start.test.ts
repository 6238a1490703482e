import { expect, test } from 'vitest'
import { parseStartLine } from '../../../../agent/provisioner/init/systemd/exec-start.ts'

const start = (argv: string) =>
  `ExecStart={ path=/usr/sbin/sshd ; argv[]=${argv} ; ignore_errors=no ; start_time=[n/a] ; pid=0 }\n`
const FILES = 'EnvironmentFiles=/etc/default/ssh (ignore_errors=yes)\n'
const CA = '/etc/other.pub'

test.each([
  ['plain', start('/usr/sbin/sshd -D'), '', ['/usr/sbin/sshd', '-D']],
  [
    'options in its file',
    start('/usr/sbin/sshd -D $SSHD_OPTS') + FILES,
    `# options\nSSHD_OPTS="-o TrustedUserCAKeys=${CA}"\n`,
    ['/usr/sbin/sshd', '-D', '-o', `TrustedUserCAKeys=${CA}`],
  ],
  ['no such variable', start('/usr/sbin/sshd -D $SSHD_OPTS') + FILES, '', ['/usr/sbin/sshd', '-D']],
  [
    'in braces, from the unit itself',
    `Environment=A=1 X=/etc/ssh/other\n${start(['/usr/sbin/sshd -i -f $', '{X}'].join(''))}`,
    '',
    ['/usr/sbin/sshd', '-i', '-f', '/etc/ssh/other'],
  ],
  [
    'a value of two words',
    start('/usr/sbin/sshd -o LogLevel VERBOSE -D'),
    '',
    ['/usr/sbin/sshd', '-o', 'LogLevel VERBOSE', '-D'],
  ],
  ['not sshd’s', 'ExecStart=\n', '', undefined],
])('%s', (_, shown, file, argv) => {
  expect(parseStartLine(shown, path => (path === '/etc/default/ssh' ? file : undefined))).toEqual(
    argv,
  )
})
