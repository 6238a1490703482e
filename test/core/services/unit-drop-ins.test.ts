import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { parseConfig } from '../../../agent/core/config/parse-config.ts'
import { SETTINGS } from '../../../agent/core/config/settings.ts'
import { SERVICE, unitDropIns, unitsToStart } from '../../../agent/core/services/unit-drop-ins.ts'

const folders = (environment: Record<string, string>) => {
  const parsed = parseConfig(undefined, environment)
  if ('errors' in parsed) throw new Error(JSON.stringify(parsed.errors))
  const files = unitDropIns(parsed.config, { resident: false })
  const texts = files.filter(({ path }) => path.endsWith('/folders.conf')).map(file => file.content)
  expect(new Set(texts).size).toBe(1)
  return texts[0]
}

test('where Debian’s node exporter looks, the root wing may write already', () => {
  const path = '/var/lib/prometheus/node-exporter/agent.prom'
  expect(folders({ POMERIUM_HOST_AGENT_METRICS_TEXTFILE: path })).toBeUndefined()
})

test('a textfile elsewhere is allowed for, and its folder may be missing', () => {
  const content = folders({
    POMERIUM_HOST_AGENT_METRICS_TEXTFILE: '/srv/textfiles/agent.prom',
    POMERIUM_HOST_AGENT_SSHD_CA_FILE: '/srv/ca/keys.pub',
  })
  expect(content).toContain('ReadWritePaths=/srv/ca\nReadWritePaths=-/srv/textfiles\n')
})

test('in a folder that is ours to make, it is not optional', () => {
  const content = folders({
    POMERIUM_HOST_AGENT_METRICS_TEXTFILE: '/srv/ca/agent.prom',
    POMERIUM_HOST_AGENT_SSHD_CA_FILE: '/srv/ca/keys.pub',
  })
  expect(content).toContain('ReadWritePaths=/srv/ca\n')
  expect(content).not.toContain('-/srv/ca')
})

test('where what was written before is given back, the root wing may write, and it may be missing', () => {
  const parsed = parseConfig(undefined, {})
  if ('errors' in parsed) throw new Error(JSON.stringify(parsed.errors))
  const former = ['/srv/old/keys.pub', '/srv/old/more.pub', '/var/lib/pomerium/keys.pub']
  const texts = unitDropIns(parsed.config, { resident: false, former }).flatMap(
    ({ path, content }) => (path.endsWith('/folders.conf') ? [content ?? ''] : []),
  )
  expect(texts.length).toBeGreaterThan(1)
  for (const text of texts) {
    expect(text.match(/ReadWritePaths=.*/g)).toEqual(['ReadWritePaths=-/srv/old'])
  }
})

test('the timer unit polls as the default says, and as a drop-in for another interval would', () => {
  const usual = SETTINGS['source.poll_interval'].default
  const clockOf = (text: string) =>
    Object.fromEntries(
      [...text.matchAll(/^(On\w+Sec|RandomizedDelaySec)=(\d+)(s|min)$/gm)].map(
        ([, name, count, unit]) => [name, Number(count) * (unit === 'min' ? 60 : 1)],
      ),
    )
  const dropInFor = (interval: string) => {
    const parsed = parseConfig(undefined, { POMERIUM_HOST_AGENT_SOURCE_POLL_INTERVAL: interval })
    if ('errors' in parsed) throw new Error(JSON.stringify(parsed.errors))
    const files = unitDropIns(parsed.config, { resident: false })
    return files.find(({ path }) => path.endsWith('.timer.d/poll.conf'))?.content
  }
  const unit = readFileSync('systemd/pomerium-host-agent.timer', 'utf8')
  const { OnUnitInactiveSec, RandomizedDelaySec = 0, ...boot } = clockOf(unit)
  expect(OnUnitInactiveSec).toBe(usual)
  expect(dropInFor(`${usual}s`)).toBeUndefined()
  expect(clockOf(dropInFor(`${2 * usual}s`) ?? '')).toEqual({
    ...boot,
    OnUnitInactiveSec: 2 * usual,
    RandomizedDelaySec: 2 * RandomizedDelaySec,
  })
})

test.each([true, false])(
  'each unit of ours is wanted or unwanted, not both; resident: %s',
  resident => {
    const parsed = parseConfig(undefined, {
      POMERIUM_HOST_AGENT_WEBHOOK_LISTEN: '0.0.0.0:9444',
      POMERIUM_HOST_AGENT_WEBHOOK_SECRET_FILE: '/s',
    })
    if ('errors' in parsed) throw new Error(JSON.stringify(parsed.errors))
    for (const config of [parsed.config, { ...parsed.config, webhook: {} }]) {
      const { wanted, unwanted } = unitsToStart(config, { resident })
      expect(new Set([...wanted, ...unwanted]).size).toBe(7)
      expect(wanted.length + unwanted.length).toBe(7)
      expect(wanted.includes(SERVICE)).toBe(resident)
      expect(wanted.includes('pomerium-host-agent.timer')).toBe(!resident)
    }
  },
)
