import { existsSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { beforeEach, describe, expect, test } from 'vitest'
import { callsForPause } from '../../agent/core/outcome/repairs.ts'
import type { Status } from '../../agent/core/report/status-record.ts'
import { parseEffectiveConfig } from '../../agent/core/sshd-config/effective-config.ts'
import { runExclusively } from '../../agent/provisioner/exclusive-run.ts'
import { provision } from '../../agent/provisioner/provision.ts'
import {
  type HeldBundle,
  publishedOn,
  stateOrFresh,
  writeState,
} from '../../agent/provisioner/records/state.ts'
import { readStatus } from '../../agent/provisioner/records/status-file.ts'
import { repair } from '../../agent/provisioner/repair.ts'
import { newKeyLine } from '../ssh-keys.ts'
import { defaultConfig, type TemporaryHost, temporaryHost } from './temporary-host.ts'

const config = defaultConfig()
const FIRST = new Date('2026-11-20T10:00:00Z')
const LATER = new Date('2026-11-21T10:00:00Z')
const one = newKeyLine('ed25519')
const two = newKeyLine('p256')
const three = newKeyLine('ed25519')

describe('what is remembered, as the status tells it', () => {
  let it: TemporaryHost
  beforeEach(async () => {
    it = await temporaryHost()
    return () => it[Symbol.dispose]()
  })
  const apply = async (
    text: string,
    now: Date,
    source = 'https://one.example.com/bundle',
    by = config,
  ) => {
    const request = { bundle: Buffer.from(text), source, config: by, now }
    await runExclusively(it.host, now, () => provision(request, it.host))
    return readStatus(it.host) as Status
  }

  test('a key keeps its first day through a rotation; the bundle has its own', async () => {
    await apply(`${one} old\n`, FIRST)
    const both = `# serial: 2\n# issued: 2026-11-21T09:00:00Z\n${one} old\n${two} new\n`
    const status = await apply(both, LATER)
    expect(status.trusted).toMatchObject([
      { comment: 'old', since: FIRST.toISOString() },
      { comment: 'new', since: LATER.toISOString() },
    ])
    expect(status.held).toEqual({
      source: 'https://one.example.com/bundle',
      acceptedAt: LATER.toISOString(),
      serial: 2,
      issued: '2026-11-21T09:00:00.000Z',
    })
    expect(status.effective).toEqual({ value: true, at: LATER.toISOString() })
  })

  test('a key that was gone for a while begins anew', async () => {
    await apply(`${one}\n`, FIRST)
    await apply(`${two}\n`, FIRST)
    expect((await apply(`${one}\n`, LATER)).trusted).toMatchObject([{ since: LATER.toISOString() }])
  })

  test('the same bytes from elsewhere: another source, the same day', async () => {
    await apply(`${one}\n`, FIRST)
    const { held } = await apply(`${one}\n`, LATER, 'https://two.example.com/bundle')
    expect(held).toEqual({
      source: 'https://two.example.com/bundle',
      acceptedAt: FIRST.toISOString(),
    })
  })

  test('a turn that finds nothing to do has proved it once more', async () => {
    await apply(`${one}\n`, FIRST)
    const status = await apply(`${one}\n`, LATER)
    expect(status).toMatchObject({
      outcome: { outcome: 'unchanged' },
      effective: { value: true, at: LATER.toISOString() },
    })
  })

  test('a refused bundle says nothing of sshd: what was proved stands, with its time', async () => {
    await apply(`${one}\n`, FIRST)
    expect(await apply('<html>', LATER)).toMatchObject({
      at: LATER.toISOString(),
      outcome: { outcome: 'refused', code: 'html' },
      trusted: [{ since: FIRST.toISOString() }],
      effective: { value: true, at: FIRST.toISOString() },
    })
  })

  test('what lies on the host is told, up to where sshd stops reading', async () => {
    await apply(`${one} ours\n`, FIRST)
    const { at, layout } = it.host
    writeFileSync(at(layout.caFile.path), `${one} ours\n${two} drifted\ngarbage\n${three}\n`)
    expect((await apply('<html>', LATER)).trusted).toMatchObject([
      { comment: 'ours', since: FIRST.toISOString() },
      { comment: 'drifted' },
    ])
  })

  test('adopted keys keep their mark where a change is undone', async () => {
    const { at } = it.host
    writeFileSync(at('/etc/ssh/ca.pub'), `${two} theirs\n`)
    writeFileSync(at('/etc/ssh/sshd_config.d/other.conf'), 'TrustedUserCAKeys /etc/ssh/ca.pub\n')
    const adopting = { ...config, sshd: { ...config.sshd, conflict: 'adopt' as const } }
    const trusted = [{ comment: 'ours' }, { comment: 'theirs', adopted: '/etc/ssh/ca.pub' }]
    expect(await apply(`${one} ours\n`, FIRST, undefined, adopting)).toMatchObject({ trusted })
    const { sshd } = it.host
    for (const outcome of ['rolled-back', 'rollback-failed']) {
      let tests = 0
      const ok = () => (outcome === 'rolled-back' ? ++tests > 1 : false)
      const test = async () => ({ ok: ok(), message: 'as it is to' }) as { ok: true }
      it.host = { ...it.host, sshd: { ...(sshd as NonNullable<typeof sshd>), test } }
      const end = await apply(`${three} new\n`, LATER, undefined, adopting)
      expect(end).toMatchObject({ outcome: { outcome, trusted }, trusted })
    }
  })

  test('a state from before there was a memory: its bundle is remembered', async () => {
    await apply(`${one}\n${two}\n`, FIRST)
    const { published, ...old } = stateOrFresh(it.host)
    expect(published).toHaveLength(2)
    const { since, ...held } = old.held as HeldBundle
    for (const state of [old, { ...old, held }]) expect(publishedOn(state)).toEqual(published)
    writeState(it.host, old, { ...old, published: [] })
    await apply(`${three}\n`, LATER)
    expect(stateOrFresh(it.host).published).toEqual([...(published ?? []), expect.any(String)])
  })

  test('repairs are counted, and the fight that they end in is told', async () => {
    await apply(`${one}\n`, FIRST)
    const { fs, at, layout } = it.host
    const drift = async () => {
      fs.unlinkSync(at(layout.caFile.path))
      await runExclusively(it.host, LATER, () => repair(config, LATER, it.host))
      return readStatus(it.host)
    }
    expect(await drift()).toMatchObject({ repaired: 1, contested: false })
    for (let n = 2; n <= 5; n++) await drift()
    expect(await drift()).toMatchObject({
      repaired: 5,
      contested: true,
      effective: { value: false, at: LATER.toISOString() },
    })
    expect(await apply('<html>', LATER)).toMatchObject({ contested: true })
  })

  test('another’s list that comes to win over ours is told: a revoked key logs in', async () => {
    await apply(`${one}\n@revoked ${two}\n`, FIRST)
    const list = '/etc/ssh/theirs'
    writeFileSync(it.host.at(list), `${three}\n`)
    const first = it.host.at('/etc/ssh/sshd_config.d/00-theirs.conf')
    writeFileSync(first, `RevokedKeys ${list}\n`)
    const { caFile } = it.host.layout
    const text = `pubkeyauthentication yes\ntrustedusercakeys ${caFile.path}\nrevokedkeys ${list}\n`
    const sshd = { ...it.host.sshd, effective: async () => parseEffectiveConfig(text) }
    const host = { ...it.host, sshd: sshd as NonNullable<typeof it.host.sshd> }
    const outcome = await runExclusively(host, LATER, () => repair(config, LATER, host))
    expect(outcome).toMatchObject({ code: 'foreign-revoked-keys' })
    expect(readStatus(host)).toMatchObject({ effective: { value: false } })
    // With all our keys in it, it does what ours would.
    writeFileSync(it.host.at(list), `${three}\n${two}\n`)
    await runExclusively(host, LATER, () => repair(config, LATER, host))
    expect(readStatus(host)).toMatchObject({ effective: { value: true } })
  })

  test('the list of revoked keys stays while a line of others comes to it by a link', async () => {
    await apply(`${one}\n@revoked ${two}\n`, FIRST)
    const { path } = it.host.layout.revokedKeys
    symlinkSync(it.host.at(path), it.host.at('/etc/ssh/theirs'))
    const drop = it.host.at('/etc/ssh/sshd_config.d/zz-theirs.conf')
    writeFileSync(drop, 'RevokedKeys /etc/ssh/theirs\n')
    await apply(`${one}\n`, LATER)
    expect(existsSync(it.host.at(path))).toBe(true)
    rmSync(drop)
    await runExclusively(it.host, LATER, () => repair(config, LATER, it.host))
    expect(existsSync(it.host.at(path))).toBe(false)
  })

  test('the list of revoked keys is never left to a fight: without it nobody logs in', async () => {
    await apply(`${one}\n@revoked ${two}\n`, FIRST)
    const { fs, at, layout } = it.host
    for (let n = 1; n <= 7; n++) {
      fs.unlinkSync(at(layout.revokedKeys.path))
      const outcome = await runExclusively(it.host, LATER, () => repair(config, LATER, it.host))
      expect(outcome).toMatchObject({
        outcome: 'applied',
        revoked: [{ type: 'ecdsa-sha2-nistp256' }],
      })
      const fight = expect.stringContaining('somebody keeps changing')
      if (n > 5) expect(outcome.warnings).toEqual(expect.arrayContaining([fight]))
      expect(callsForPause(outcome)).toBe(n > 5)
      expect(readStatus(it.host)).toMatchObject({ revoked: [{ type: 'ecdsa-sha2-nistp256' }] })
    }
  })
})
