// Each hand-made host: taken over without a flag, through a rotation, and given back.

import { afterAll, beforeAll, expect, test } from 'vitest'
import { describeTier } from '../../sshd/describe-tier.ts'
import { type Ca, makeCa } from '../../sshd/ssh-ca.ts'
import { machineTier } from '../harness/available.ts'
import type { Suite } from '../harness/base.ts'
import { census, difference } from '../harness/host-census.ts'
import type { HostFiles } from '../harness/host-files.ts'
import { addAddress, login } from '../harness/login.ts'
import { shareOf } from '../harness/share.ts'
import { CA_FILE } from '../hosts/agent-host.ts'
import { type BareHost, bootBareHost } from '../hosts/bare-host.ts'
import { bootProvisionerHost, type ProvisionerHost } from '../hosts/provisioner-host.ts'
import { type ReleaseKit, releaseKit } from '../hosts/release-kit.ts'
import { HAND_MADE, type HandMade } from './hand-made-hosts.ts'

interface Cas {
  ours: Ca
  next: Ca
  strange: Ca
}

export function testHandMade(suite: Suite): void {
  describeTier(`hosts set up by hand, on ${suite}`, machineTier(), () => {
    let cas: Cas
    beforeAll(async () => {
      const [ours, next, strange] = await Promise.all(
        (['ours', 'next', 'strange'] as const).map(name => makeCa('ed25519', name)),
      )
      cas = { ours, next, strange } as Cas
    })
    afterAll(async () => {
      for (const ca of Object.values(cas ?? {})) await ca[Symbol.asyncDispose]()
    })

    const all = HAND_MADE.filter(({ strange }) => !strange)
    test.each(shareOf(suite, all))('$name', row => takeOver(row, suite, cas))

    const mixed = HAND_MADE.filter(({ strange }) => strange)
    test.each(shareOf(suite, mixed))('$name', row => refuseAndAdopt(row, suite, cas))

    test.each(shareOf(suite, [...BY_HAND_OURS, ...INSTALLED]))('$name', ({ run }) =>
      run(suite, cas),
    )
  })
}

/** What is not a row of its own, but one host. */
const BY_HAND_OURS = [
  { name: 'a first apply that fails gives back the found files, their owner too', run: rollBack },
]
const INSTALLED = [{ name: 'install.sh needs no flag, and says what it took over', run: install }]

async function boot(row: HandMade, suite: Suite, cas: Cas): Promise<ProvisionerHost> {
  const it = await bootProvisionerHost({ suite, prepare: files => lay(files, row, cas) })
  await it.configure(row.config)
  if (row.from !== undefined) await addAddress(it.host, row.from)
  return it
}

async function lay(host: HostFiles, { files }: HandMade, cas: Cas): Promise<void> {
  for (const [path, { keys, content = '', mode = 0o644, uid = 0 }] of Object.entries(files)) {
    const before = host.exists(path) ? await host.read(path) : ''
    const text = keys?.map(name => `${cas[name].publicKey}\n`).join('')
    const given = typeof content === 'string' ? content : content(before)
    await host.write(path, text ?? given, { mode, uid, gid: 0 })
  }
}

/** All that a person may have laid, and all that we may have written. */
async function kept({ host }: Pick<ProvisionerHost, 'host'>) {
  const folders = ['/etc/ssh', '/etc/pomerium', '/var/lib/pomerium']
  return Promise.all(folders.map(folder => host.snapshot(folder)))
}

async function ends(
  it: Pick<ProvisionerHost, 'host'>,
  ca: Ca,
  more: { user?: string; from?: string } = {},
) {
  return (await login(it.host, { ca, ...more })).outcome
}

async function linesOf({ host }: ProvisionerHost, places: readonly string[]) {
  const found = places.map(async place => {
    const [file = '', line = ''] = place.split(':')
    const last = async () => (await host.read(file)).split('\n').length - 1
    return { file, line: line === '$' ? await last() : Number(line) }
  })
  const all = await Promise.all(found)
  return all.length === 0 ? undefined : all
}

async function takeOver(row: HandMade, suite: Suite, { ours, next, ...cas }: Cas): Promise<void> {
  await using it = await boot(row, suite, { ours, next, ...cas })
  const here = row.from === undefined ? {} : { from: row.from }
  const someone = row.escapes === undefined ? here : { user: row.escapes }
  const before = await kept(it)
  const lines = await linesOf(it, row.tookOver)
  expect(await ends(it, ours, someone)).toBe('accepted')

  await it.host.write('/srv/bundle', `${ours.publicKey}\n`)
  const plan = await it.agent('plan', '--json')
  expect(plan.code).toBe(10)
  expect(JSON.parse(plan.stdout).took_over).toEqual(lines)
  expect(await kept(it)).toEqual(before)

  const first = await it.apply(ours.publicKey)
  expect(first).toMatchObject({ code: 0, outcome: { outcome: 'applied' } })
  // Of one of our own names nothing of theirs is left to say later.
  expect(first.outcome.took_over).toEqual(lines)
  const warnings = row.warns === undefined ? undefined : [expect.stringMatching(row.warns)]
  expect(first.outcome.warnings).toEqual(warnings)
  expect(await ends(it, ours, here)).toBe('accepted')
  if (row.from !== undefined) expect(await ends(it, ours)).toBe('refused')
  expect((await it.apply(ours.publicKey)).outcome).toMatchObject({
    outcome: 'unchanged',
    steps: [],
  })

  const rotated = await it.apply(next.publicKey)
  expect(rotated).toMatchObject({ code: 0, outcome: { outcome: 'applied' } })
  expect(rotated.outcome.trusted).toMatchObject([{ fingerprint: next.fingerprint }])
  expect(await ends(it, next, here)).toBe('accepted')
  expect([await ends(it, ours, here), await ends(it, ours)]).toEqual(['refused', 'refused'])
  if (row.escapes !== undefined) {
    // As the warning says.
    expect(rotated.outcome.warnings).toEqual([expect.stringContaining(ours.fingerprint)])
    expect(await ends(it, ours, { user: row.escapes })).toBe('accepted')
    expect(await ends(it, next, { user: row.escapes })).toBe('refused')
  }

  const removed = JSON.parse((await it.agent('remove', '--json')).stdout)
  expect(removed).toMatchObject({ outcome: 'applied', trusted: [] })
  if (lines !== undefined) expect(removed.message).toContain('as it was found')
  expect(await kept(it)).toEqual(before)
  expect(await ends(it, ours, someone)).toBe('accepted')
  expect(await ends(it, next, someone)).toBe('refused')
  const status = JSON.parse((await it.agent('status', '--json')).stdout)
  expect(status).toMatchObject({ code: 'removed', trusted: [] })
}

async function refuseAndAdopt(row: HandMade, suite: Suite, cas: Cas): Promise<void> {
  await using it = await boot(row, suite, cas)
  const { ours, next, strange } = cas
  const before = await kept(it)
  const refused = await it.apply(ours.publicKey)
  expect(refused).toMatchObject({ code: 5, outcome: { code: 'foreign-ca', steps: [] } })
  expect(refused.outcome.message).toMatch(
    new RegExp(
      `no bundle .* ${escaped(strange.fingerprint)}; ours in it: ${escaped(ours.fingerprint)};`,
    ),
  )
  expect(await kept(it)).toEqual(before)

  await it.configure('sshd: { conflict: adopt }\n')
  const adopted = await it.apply(ours.publicKey)
  expect(adopted.outcome.trusted).toMatchObject([
    { fingerprint: ours.fingerprint },
    { fingerprint: strange.fingerprint, adopted: '/etc/pomerium/pomerium_user_ca_key.pub' },
  ])
  const rotated = await it.apply(next.publicKey)
  expect(rotated.outcome.trusted).toMatchObject([
    { fingerprint: next.fingerprint },
    { fingerprint: strange.fingerprint },
  ])
  const all = [await ends(it, ours), await ends(it, next), await ends(it, strange)]
  expect(all).toEqual(['refused', 'accepted', 'accepted'])
  await it.configure()
  await it.agent('remove', '--json')
  expect(await kept(it)).toEqual(before)
}

const escaped = (text: string) => text.replaceAll(/[+/.]/g, '\\$&')

async function rollBack(suite: Suite, cas: Cas): Promise<void> {
  const row = HAND_MADE.find(({ files }) => files[CA_FILE]?.uid !== undefined)
  if (row === undefined) throw new Error('no row has files of another user')
  await using it = await boot(row, suite, cas)
  const before = await kept(it)
  // Our drop-in is root's alone: sshd starts while that is not so.
  const starts = 'test "$$(stat -c %%a /etc/ssh/sshd_config.d/pomerium-ca.conf)" = 644'
  const unit = '/etc/systemd/system/ssh.service.d/broken.conf'
  await it.host.write(unit, `[Service]\nExecStartPre=/bin/sh -c '${starts}'\nRestart=no\n`)
  await it.host.exec('systemctl daemon-reload')
  expect(await it.apply(cas.ours.publicKey)).toMatchObject({ code: 6 })
  expect(await kept(it)).toEqual(before)
  expect(await ends(it, cas.ours)).toBe('accepted')
  expect(await it.litter()).toEqual([])
}

async function install(suite: Suite, cas: Cas): Promise<void> {
  const [row] = HAND_MADE
  if (row === undefined) return
  await using kit: ReleaseKit = await releaseKit()
  const release = await kit.make()
  await using it: BareHost = await bootBareHost({ suite, prepare: files => lay(files, row, cas) })
  await it.offer(release)
  await it.publish(cas.ours.publicKey)
  const before = await census(it.host)
  const installed = await it.install()
  expect(installed).toMatchObject({ code: 0, stderr: '' })
  const said = installed.stdout.replaceAll(/\s+/g, ' ')
  expect(said).toContain(`took over ${row.tookOver[0]}, set up by hand for the same CA`)
  await it.publish(cas.next.publicKey)
  expect((await it.host.exec('pomerium-host-agent apply')).code).toBe(0)
  expect([await ends(it, cas.ours), await ends(it, cas.next)]).toEqual(['refused', 'accepted'])
  expect(await it.install(['--uninstall'])).toMatchObject({ code: 0 })
  expect(difference(before, await census(it.host))).toEqual([])
  expect(await ends(it, cas.ours)).toBe('accepted')
}
