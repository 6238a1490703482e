import { expect, test } from 'vitest'
import { judgeUnits, type UnitSeen } from '../../../agent/core/services/agent-units.ts'

const TIMER = 'pomerium-host-agent.timer'
const SERVICE = 'pomerium-host-agent.service'
const WEBHOOK = 'pomerium-host-agent-webhook.service'
const BOOT = 'pomerium-host-agent-boot.service'

const unit = (name: string, change: Partial<UnitSeen> = {}): UnitSeen => ({
  ...{ unit: name, load: 'loaded', active: 'active', sub: 'waiting', result: 'success' },
  file: 'enabled',
  ...change,
})
const down = { active: 'inactive', sub: 'dead' }

test.each<[string, UnitSeen, string[]]>([
  ['a timer that waits', unit(TIMER), []],
  ['one that is stopped', unit(TIMER, down), ['agent-stopped']],
  ['one that has run out', unit(TIMER, { sub: 'elapsed' }), ['agent-stopped']],
  ['one that is masked', unit(TIMER, { ...down, load: 'masked' }), ['agent-stopped']],
  ['one that is gone', unit(TIMER, { ...down, load: 'not-found', file: '' }), ['agent-stopped']],
  [
    'one that has failed',
    unit(TIMER, { active: 'failed', result: 'resources' }),
    ['agent-failing'],
  ],
  ['one that boot forgets', unit(TIMER, { file: 'disabled' }), ['agent-disabled']],
  ['one that the next boot forgets', unit(TIMER, { file: 'enabled-runtime' }), ['agent-disabled']],
  ['one with a line that is wrong', unit(TIMER, { load: 'bad-setting' }), ['agent-stopped']],
  ...['masked', 'not-found', 'bad-setting', 'error'].flatMap(
    (load): [string, UnitSeen, string[]][] => [
      [`a service that sleeps and is ${load}`, unit(SERVICE, { ...down, load }), ['agent-stopped']],
      [`boot’s service that is ${load}`, unit(BOOT, { ...down, load }), ['agent-stopped']],
      [`one that nothing starts, ${load}`, unit(WEBHOOK, { ...down, load }), []],
    ],
  ),
  ['a service that sleeps', unit(SERVICE, { ...down, file: 'disabled' }), []],
  [
    'a service without its secret',
    unit(SERVICE, { active: 'failed', result: 'exit-code', status: 243 }),
    ['agent-failing'],
  ],
  [
    'a service between two failures',
    unit(SERVICE, { active: 'activating', sub: 'auto-restart', result: 'exit-code', status: 1 }),
    ['agent-failing'],
  ],
  [
    'a service that was started again and again, and is up for the moment',
    unit(SERVICE, { sub: 'running', restarts: { count: 7, upSeconds: 3 } }),
    ['agent-failing'],
  ],
  [
    'a service that was started again long ago',
    unit(SERVICE, { sub: 'running', restarts: { count: 7, upSeconds: 90 } }),
    [],
  ],
  ['a service of boot that has ended', unit(BOOT, down), []],
  ['one that a release does not have', unit('no.service', { ...down, load: 'not-found' }), []],
])('%s', (_, seen, codes) => {
  const found = judgeUnits([seen], [TIMER, BOOT])
  expect(found.map(({ code }) => code)).toEqual(codes)
  expect(found.every(({ next }) => next.length > 0 && next.length <= 78)).toBe(true)
})
