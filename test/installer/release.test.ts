import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { layInstaller } from '../../installer/release.ts'

test('install.sh has all filled in, the inits too', () => {
  const folder = mkdtempSync(join(tmpdir(), 'release-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  layInstaller(folder, { version: '1.2.3', signer: 'ssh-ed25519 AAAA', downloadUrl: undefined })
  const script = readFileSync(join(folder, 'install.sh'), 'utf8')
  expect(script).not.toMatch(/'@[A-Z_]+@'/)
  expect(/^INITS='(.*)'$/m.exec(script)?.[1]?.split(' ')).toEqual([
    'systemd:/run/systemd/system',
    'OpenRC:/run/openrc/softlevel',
    'runit:runit',
    'sysvinit:/run/initctl',
  ])
})
