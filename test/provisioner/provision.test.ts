import { beforeEach, describe, expect, test } from 'vitest'
import type { Status } from '../../agent/core/status.ts'
import { inTurn } from '../../agent/provisioner/in-turn.ts'
import { provision } from '../../agent/provisioner/provision.ts'
import { repair } from '../../agent/provisioner/repair.ts'
import { readStatus } from '../../agent/provisioner/status-file.ts'
import { newKeyLine } from '../ssh-keys.ts'
import { defaultConfig, type TemporaryHost, temporaryHost } from './temporary-host.ts'

const config = defaultConfig()
const FIRST = new Date('2026-11-20T10:00:00Z')
const LATER = new Date('2026-11-21T10:00:00Z')
const one = newKeyLine('ed25519')
const two = newKeyLine('p256')

describe('what is remembered, as the status tells it', () => {
  let it: TemporaryHost
  beforeEach(async () => {
    it = await temporaryHost()
    return () => it[Symbol.dispose]()
  })
  const apply = async (text: string, now: Date, source = 'https://one.example.com/bundle') => {
    const request = { bundle: Buffer.from(text), source, config, now }
    await inTurn(it.host, now, () => provision(request, it.host))
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

  test('repairs are counted, and the fight that they end in is told', async () => {
    await apply(`${one}\n`, FIRST)
    const { fs, at, layout } = it.host
    const drift = async () => {
      fs.unlinkSync(at(layout.caFile.path))
      await inTurn(it.host, LATER, () => repair(config, LATER, it.host))
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
})
