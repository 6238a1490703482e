import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { hiddenFrom, isReadOnlyFolder } from '../../../agent/core/services/hidden-places.ts'

const SYSTEMD = join(import.meta.dirname, '../../../systemd')
const sandbox = (unit: string, wing: string) =>
  readFileSync(join(SYSTEMD, `${unit}.d/${wing}.conf`), 'utf8')
const value = (text: string, name: string) => new RegExp(`^${name}=(.*)$`, 'm').exec(text)?.[1]

describe('what is hidden from a wing is what its units hide', () => {
  const network = sandbox('pomerium-host-agent.service', 'network-wing')
  const root = sandbox('pomerium-host-agent-provisioner.service', 'root-wing')

  test('the network wing', () => {
    expect(value(network, 'PrivateTmp')).toBe('yes')
    expect(value(network, 'ProtectHome')).toBe('yes')
    const inaccessible = value(network, 'InaccessiblePaths')?.split(' ') ?? []
    const folders = inaccessible.map(path => path.replace('-', ''))
    expect(folders.length).toBeGreaterThan(2)
    for (const folder of ['/tmp', '/var/tmp', '/home', '/root', '/run/user', ...folders]) {
      expect(hiddenFrom('network', `${folder}/a`)?.folder).toBe(folder)
    }
  })

  test('the root wing', () => {
    expect(value(root, 'PrivateTmp')).toBe('yes')
    expect(value(root, 'ProtectHome')).toBe('read-only')
    expect(value(root, 'InaccessiblePaths')).toBeUndefined()
    for (const folder of ['/tmp', '/var/tmp']) {
      expect(hiddenFrom('root', `${folder}/a`)?.folder).toBe(folder)
    }
    for (const folder of ['/home', '/root', '/run/user']) {
      expect(hiddenFrom('root', `${folder}/a`)).toBeUndefined()
      expect([isReadOnlyFolder(folder), isReadOnlyFolder(`${folder}/a`)]).toEqual([true, false])
    }
  })

  test('a name that only begins alike is not hidden', () => {
    for (const path of ['/tmpfiles/a', '/homes/a', '/var/lib/pomerium-keys/a', '/etc/sshd']) {
      expect(hiddenFrom('network', path)).toBeUndefined()
    }
  })
})
