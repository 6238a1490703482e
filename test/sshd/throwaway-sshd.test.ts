import { existsSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { execa } from 'execa'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { describeTier } from './describe-tier.ts'
import { type Ca, type KeyType, makeCa } from './ssh-ca.ts'
import { startThrowawaySshd, type ThrowawaySshd } from './throwaway-sshd.ts'
import { findToolsAndShell } from './tools.ts'

describeTier('certificates of the shape that Pomerium issues', findToolsAndShell(), () => {
  test.each<[KeyType, RegExp]>([
    ['ed25519', /ED25519 .* \(using ssh-ed25519\)/],
    ['ecdsa', /ECDSA .* \(using ecdsa-sha2-nistp256\)/],
    ['rsa', /RSA .* \(using rsa-sha2-512\)/],
  ])('by an %s CA', async (type, signer) => {
    await using ca = await makeCa(type)
    const { certificate } = await ca.issue({ principals: ['alice'] })
    const { stdout } = await execa('ssh-keygen', ['-L', '-f', certificate])
    const field = (name: string) => stdout.match(new RegExp(`^ +${name}: (.*)$`, 'm'))?.[1]?.trim()
    expect(field('Type')).toBe('ssh-ed25519-cert-v01@openssh.com user certificate')
    expect(field('Signing CA')).toMatch(signer)
    expect(field('Signing CA')).toContain(ca.fingerprint)
    expect(field('Key ID')).toBe('""')
    expect(field('Serial')).toBe('1')
    expect(field('Critical Options')).toBe('(none)')
    expect(stdout.split('Principals:')[1]?.split('Critical')[0]?.trim()).toBe('alice')
    expect(stdout.split('Extensions:')[1]?.trim().split(/\s+/)).toEqual([
      'permit-X11-forwarding',
      'permit-agent-forwarding',
      'permit-port-forwarding',
      'permit-pty',
      'permit-user-rc',
    ])
    const [from = 0, to = 0] =
      field('Valid')
        ?.match(/\d{4}-\S+/g)
        ?.map(Date.parse) ?? []
    expect((to - from) / 60_000).toBe(61)
    expect(Math.abs(from + 60_000 - Date.now())).toBeLessThan(5_000)
  })
})

describeTier('a throwaway sshd', findToolsAndShell(), () => {
  let sshd: ThrowawaySshd
  let ca: Ca
  let other: Ca
  const trust = async (...cas: Ca[]) => {
    const lines = cas.map(({ publicKey }) => `${publicKey}\n`)
    await writeFile(join(sshd.root, 'ca.pub'), lines.join(''), { mode: 0o600 })
  }
  beforeAll(async () => {
    sshd = await startThrowawaySshd()
    ca = await makeCa()
    other = await makeCa('rsa')
  })
  afterAll(async () => {
    await Promise.all([sshd?.stop(), ca?.[Symbol.asyncDispose](), other?.[Symbol.asyncDispose]()])
  })

  test('trusts nobody at first, and a CA from the restart that tells it to', async () => {
    expect(await sshd.login({ ca })).toMatchObject({ outcome: 'refused' })
    await trust(ca)
    const dropIn = join(sshd.root, 'etc/ssh/sshd_config.d/ca.conf')
    await writeFile(dropIn, `TrustedUserCAKeys ${join(sshd.root, 'ca.pub')}\n`)
    const { pid } = sshd
    await sshd.restart()
    expect(process.kill(pid, 0)).toBe(true)
    expect(await sshd.login({ ca, command: 'id -un' })).toMatchObject({
      outcome: 'accepted',
      ok: true,
      stdout: sshd.user,
    })
    expect(await sshd.login({ ca: other })).toMatchObject({ outcome: 'refused' })
    expect(sshd.log()).toContain(ca.fingerprint)
  })

  test('trusts what the CA file says without a restart', async () => {
    await trust(ca, other)
    expect(await sshd.login({ ca: other })).toMatchObject({ outcome: 'accepted' })
    await trust(other)
    expect(await sshd.login({ ca })).toMatchObject({ outcome: 'refused' })
    await trust(ca)
  })

  test('keeps sessions through a restart', async () => {
    await using session = await sshd.openSession({ ca })
    await sshd.restart()
    await session.echo('still here')
  })

  test('leaves over a broken config, and says why; nothing stays of it', async () => {
    const broken = await startThrowawaySshd()
    await using session = await openOwnSession(broken)
    await writeFile(join(broken.root, 'etc/ssh/sshd_config.d/broken.conf'), 'Nonsense yes\n')
    await expect(broken.restart()).rejects.toThrow(/Bad configuration option: Nonsense/)
    await session.echo('still here')
    await session.close()
    await broken.stop()
    expect(existsSync(broken.root)).toBe(false)
  })

  async function openOwnSession(of: ThrowawaySshd) {
    await writeFile(join(of.root, 'ca.pub'), `${ca.publicKey}\n`)
    const dropIn = join(of.root, 'etc/ssh/sshd_config.d/ca.conf')
    await writeFile(dropIn, `TrustedUserCAKeys ${join(of.root, 'ca.pub')}\n`)
    await of.restart()
    return of.openSession({ ca })
  }
})
