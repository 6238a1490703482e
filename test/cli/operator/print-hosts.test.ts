import { afterEach, expect, test, vi } from 'vitest'
import { printHosts } from '../../../agent/cli/operator/print-hosts.ts'
import type { HostStanding } from '../../../agent/publisher/rotate/census.ts'

afterEach(() => vi.restoreAllMocks())

const FINGERPRINT = (name: string) => `SHA256:${name.padEnd(43, 'x')}`
const key = (name: string, adopted?: string) => ({
  type: 'ssh-ed25519',
  fingerprint: FINGERPRINT(name),
  comment: 'a-comment-that-is-much-longer-than-a-line-has-room-for',
  ...(adopted === undefined ? {} : { adopted }),
})

function shown(hosts: HostStanding[]): string[] {
  let text = ''
  vi.spyOn(process.stdout, 'write').mockImplementation(chunk => {
    text += chunk
    return true
  })
  printHosts(hosts, [{ name: 'old', fingerprint: FINGERPRINT('old') }])
  vi.restoreAllMocks()
  return text.split('\n')
}

test('a row for each host, within 80 columns, whatever it trusts and why', () => {
  const many = Array.from({ length: 800 }, (_, at) => key(`k${at}`, '/etc/ssh/team.pub'))
  const why = 'a reason '.repeat(40)
  const path = '/etc/ssh/sshd_config.d/legacy-user-ca-keys-of-the-platform-team.pub'
  const lines = shown([
    { host: 'web1', state: 'converged', message: '', trusted: [key('new')] },
    {
      host: 'web2',
      state: 'failed',
      code: 'x',
      message: why,
      trusted: [...many, key('old', path)],
    },
    { host: 'constructor', state: 'unreachable', message: 'no way' },
    { host: 'converged', state: 'left-behind', message: 'left behind, and not asked' },
    { host: 'HOST', state: 'waiting', message: 'still at it', trusted: [] },
  ])
  for (const line of lines) expect(line.length).toBeLessThanOrEqual(80)
  const rows = lines.map(line => line.replaceAll(/ +/g, ' '))
  expect(rows).toContain('web1 converged key1')
  expect(rows).toContain('constructor unreachable not known')
  expect(rows).toContain('converged left-behind not known')
  expect(rows).toContain('HOST waiting no key')
  // The key that matters is named, behind however many others.
  expect(rows.join('')).toContain(`old (by ${path}), 796 more`)
  expect(rows.filter(row => /^key\d/.test(row))).toHaveLength(5)
})
