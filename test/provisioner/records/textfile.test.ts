import { spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { beforeEach, describe, expect, test } from 'vitest'
import { runExclusively } from '../../../agent/provisioner/exclusive-run.ts'
import { provision } from '../../../agent/provisioner/provision.ts'
import { readStatus } from '../../../agent/provisioner/records/status-file.ts'
import { remove } from '../../../agent/provisioner/remove.ts'
import { report } from '../../../agent/provisioner/write-report.ts'
import { newKeyLine } from '../../ssh-keys.ts'
import { defaultConfig, type TemporaryHost, temporaryHost } from '../temporary-host.ts'

const FOLDER = '/var/lib/prometheus'
const PATH = `${FOLDER}/agent.prom`
const config = defaultConfig()
const now = new Date('2026-11-20T10:00:00Z')

describe('metrics.textfile', () => {
  let it: TemporaryHost
  beforeEach(async () => {
    it = await temporaryHost()
    it.host = { ...it.host, textfile: { path: PATH, version: '1.2.3' } }
    return () => it[Symbol.dispose]()
  })
  const bundle = Buffer.from(`${newKeyLine('ed25519')} ca\n`)
  const apply = () =>
    runExclusively(it.host, now, () => provision({ bundle, source: 'test', config, now }, it.host))
  const text = () => readFileSync(it.host.at(PATH), 'utf8')

  test('is written whole after each turn, for everybody to read', async () => {
    mkdirSync(it.host.at(FOLDER))
    await apply()
    expect(text()).toContain('pomerium_host_agent_build_info{version="1.2.3"} 1\n')
    expect(text()).toContain('pomerium_host_agent_trust_effective 1\n')
    expect(text()).toContain('pomerium_host_agent_sshd_restarts_total 1\n')
    expect(statSync(it.host.at(PATH)).mode & 0o777).toBe(0o644)
    expect(readdirSync(it.host.at(FOLDER))).toEqual(['agent.prom'])
  })

  test('tells of polls that had nothing for this wing', async () => {
    mkdirSync(it.host.at(FOLDER))
    await apply()
    const { daemonFolder, pollRecord } = it.host.layout
    mkdirSync(it.host.at(daemonFolder.path))
    const polls = { version: 1, lastSuccess: now.toISOString(), cycles: { unchanged: 7 } }
    writeFileSync(it.host.at(pollRecord.path), JSON.stringify(polls))
    expect(await report(it.host)).toMatchObject({ outcome: 'unchanged', steps: [] })
    expect(text()).toContain('pomerium_host_agent_cycles_total{outcome="unchanged"} 7\n')
    expect(text()).toContain('pomerium_host_agent_last_success_timestamp_seconds 1795168800\n')
  })

  test('waits for a turn of another process, which writes it too', async () => {
    mkdirSync(it.host.at(FOLDER))
    await apply()
    const [lock, ended] = [it.host.at(it.host.layout.lock.path), it.host.at('/ended')]
    const other = spawn('flock', [lock, 'sh', '-c', `echo held; sleep 0.5; : > ${ended}`])
    await once(other.stdout, 'data')
    await report(it.host)
    expect(existsSync(ended)).toBe(true)
  })

  test('an apply that no daemon began is counted here; what a daemon began, by the daemon', async () => {
    mkdirSync(it.host.at(FOLDER))
    await apply()
    expect(text()).not.toContain('last_success')
    expect(text()).toContain('cycles_total{outcome="applied"} 0\n')
    const own = (gave: boolean) =>
      runExclusively(
        it.host,
        now,
        () => provision({ bundle, source: 'test', config, now }, it.host),
        {
          gave,
        },
      )
    await own(false)
    expect(text()).not.toContain('last_success')
    await own(true)
    await own(false)
    expect(text()).toContain('cycles_total{outcome="unchanged"} 3\n')
    expect(text()).toContain('last_success_timestamp_seconds 1795168800\n')
    const { daemonFolder, pollRecord } = it.host.layout
    mkdirSync(it.host.at(daemonFolder.path))
    const later = new Date(now.getTime() + 60_000).toISOString()
    const polls = { version: 1, lastSuccess: later, cycles: { unchanged: 7, refused: 1 } }
    writeFileSync(it.host.at(pollRecord.path), JSON.stringify(polls))
    await report(it.host)
    expect(text()).toContain('cycles_total{outcome="unchanged"} 10\n')
    expect(text()).toContain('cycles_total{outcome="refused"} 1\n')
    expect(text()).toContain('last_success_timestamp_seconds 1795168860\n')
  })

  test('goes with the rest of us', async () => {
    mkdirSync(it.host.at(FOLDER))
    await apply()
    await runExclusively(it.host, now, () => remove(it.host))
    expect(readdirSync(it.host.at(FOLDER))).toEqual([])
  })

  test.each<[string, (at: (path: string) => string) => void, RegExp]>([
    ['no folder', () => {}, /there is no folder \/var\/lib\/prometheus; make it/],
    [
      'a link in its place',
      at => {
        mkdirSync(at(FOLDER))
        symlinkSync('/etc/passwd', at(PATH))
      },
      /agent.prom is not a regular file/,
    ],
    [
      'a link to the folder',
      at => {
        mkdirSync(at('/elsewhere'))
        symlinkSync(at('/elsewhere'), at(FOLDER))
      },
      /\/var\/lib\/prometheus is not a folder, or a link to one/,
    ],
    [
      'a folder in its place',
      at => mkdirSync(at(PATH), { recursive: true }),
      /agent.prom is not a regular file/,
    ],
  ])(
    '%s: a warning, told in the status too, and the host is right all the same',
    async (_, prepare, warning) => {
      prepare(it.host.at)
      const outcome = await apply()
      expect(outcome.outcome).toBe('applied')
      expect(outcome.warnings).toEqual([expect.stringMatching(warning)])
      expect(readStatus(it.host)?.outcome).toEqual(outcome)
    },
  )
})
