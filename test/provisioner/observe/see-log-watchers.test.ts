import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { expect, test } from 'vitest'
import { realFileSystem as fs } from '../../../agent/provisioner/files/file-system.ts'
import { seeLogWatchers } from '../../../agent/provisioner/observe/see-log-watchers.ts'
import type { Run } from '../../../agent/provisioner/processes/run-command.ts'
import { tempDir } from '../../sshd/temp-dir.ts'

const FAIL2BAN = { '/usr/bin/fail2ban-client': '', '/run/fail2ban/fail2ban.sock': '' }
const SSHGUARD = {
  '/usr/sbin/sshguard': '',
  '/etc/sshguard/sshguard.conf': 'WHITELIST_FILE=/etc/w\n',
}

/** What is seen where these files lie and fail2ban answers so; throws where it is asked and has no answer. */
async function see(files: Record<string, string>, answers: Record<string, string> = {}) {
  await using folder = await tempDir()
  const at = (path: string) => join(folder.path, path)
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(at(path)), { recursive: true })
    writeFileSync(at(path), text)
  }
  const run: Run = async ([, ...args]) => {
    const stdout = answers[args.join(' ')]
    return stdout === undefined
      ? { code: 255, stdout: '', stderr: 'a warning\nis it running?\n' }
      : { code: 0, stdout, stderr: '' }
  }
  const host = { fs, at, tree: false }
  expect(await seeLogWatchers({ ...host, tree: true }, run)).toEqual([])
  return seeLogWatchers(host, run)
}

test.each<[string, Promise<unknown[]>, unknown[]]>([
  ['neither', see({}), []],
  ['a fail2ban that is stopped', see({ '/usr/bin/fail2ban-client': '' }), []],
  [
    'a fail2ban that runs',
    see(FAIL2BAN, {
      status: '`- Jail list:\tnginx, sshd\n',
      'get sshd ignoreip': '`- 192.0.2.1\n',
    }),
    [{ program: 'fail2ban', jails: new Map([['sshd', ['192.0.2.1']]]) }],
  ],
  [
    'a fail2ban that does not answer',
    see(FAIL2BAN),
    [{ program: 'fail2ban', silent: 'is it running?' }],
  ],
  ['a sshguard without a configuration', see({ '/usr/sbin/sshguard': '' }), []],
  [
    'a sshguard without its whitelist',
    see(SSHGUARD),
    [{ program: 'sshguard', whitelist: '/etc/w', spares: [] }],
  ],
  [
    'a sshguard with one',
    see({ ...SSHGUARD, '/etc/w': '# us\n192.0.2.1\n' }),
    [{ program: 'sshguard', whitelist: '/etc/w', spares: ['192.0.2.1'] }],
  ],
  [
    'a sshguard that names none',
    see({ ...SSHGUARD, '/etc/sshguard/sshguard.conf': '' }),
    [expect.objectContaining({ whitelist: expect.stringContaining('WHITELIST_FILE'), spares: [] })],
  ],
])('%s', async (_, seen, watchers) => {
  expect(await seen).toEqual(watchers)
})
