// What `systemctl show` said on booted Debian 11, 12 and 13 hosts.

interface Facts {
  [property: string]: string | number
}

// systemd prints in an order of its own, and prints what a kind of unit has.
function service(facts: Facts): string {
  return block({
    MainPID: 0,
    Result: 'success',
    Id: 'ssh.service',
    LoadState: 'loaded',
    ActiveState: 'inactive',
    SubState: 'dead',
    UnitFileState: 'disabled',
    ConditionResult: 'no',
    StartLimitIntervalUSec: '10s',
    StartLimitBurst: 5,
    ...facts,
  })
}

function socket(facts: Facts): string {
  return block({
    Accept: 'no',
    Result: 'success',
    Id: 'ssh.socket',
    LoadState: 'loaded',
    ActiveState: 'inactive',
    SubState: 'dead',
    UnitFileState: 'disabled',
    ...facts,
  })
}

function block(facts: Facts): string {
  return Object.entries(facts)
    .map(([name, value]) => `${name}=${value}\n`)
    .join('')
}

const missing = (Id: string) =>
  (Id.endsWith('.socket') ? socket : service)({ Id, LoadState: 'not-found', UnitFileState: '' })
const INVOCATION = 'fbabeb675b2949fabc947e8f2a153dde'
const up = {
  ActiveState: 'active',
  SubState: 'running',
  UnitFileState: 'enabled',
  InvocationID: INVOCATION,
}
const listening = { ActiveState: 'active', SubState: 'listening', UnitFileState: 'enabled' }
const [noSshd, noSocket] = [missing('sshd.service'), missing('sshd.socket')]
const show = (...blocks: string[]) => blocks.join('\n')

export const RUNNING = show(service({ ...up, MainPID: 39 }), noSshd, socket({}), noSocket)
export const ALIAS = show(
  service({ ...up, MainPID: 39 }),
  service({ ...up, MainPID: 39 }),
  socket({}),
  noSocket,
)
export const SSHD_ONLY = show(
  service({ LoadState: 'masked', UnitFileState: 'masked' }),
  service({ ...up, Id: 'sshd.service', MainPID: 386 }),
  socket({}),
  noSocket,
)
export const PER_CONNECTION = show(
  service({}),
  noSshd,
  socket({ ...listening, Accept: 'yes' }),
  noSocket,
)
export const IDLE = show(service({}), noSshd, socket(listening), noSocket)
export const ACTIVATED = show(
  service({ ...up, MainPID: 195, UnitFileState: 'disabled' }),
  noSshd,
  socket({ ...listening, SubState: 'running' }),
  noSocket,
)
export const LIMIT_HIT = show(
  service({ ActiveState: 'failed', SubState: 'failed', Result: 'start-limit-hit' }),
  noSshd,
  socket({}),
  noSocket,
)
export const AUTO_RESTART = show(
  service({ ActiveState: 'activating', SubState: 'auto-restart', Result: 'exit-code' }),
  noSshd,
  socket({}),
  noSocket,
)
export const MASKED = show(
  service({ LoadState: 'masked', UnitFileState: 'masked' }),
  noSshd,
  socket({}),
  noSocket,
)
export const MASKED_RUNNING = show(
  service({ ...up, LoadState: 'masked', UnitFileState: 'masked', MainPID: 366 }),
  noSshd,
  socket({}),
  noSocket,
)
export const STOPPED = show(service({ UnitFileState: 'enabled' }), noSshd, socket({}), noSocket)
export const STOPPED_SINCE = show(
  service({ UnitFileState: 'enabled', ConditionResult: 'yes', InvocationID: INVOCATION }),
  noSshd,
  socket({}),
  noSocket,
)
export const NONE = show(missing('ssh.service'), noSshd, missing('ssh.socket'), noSocket)
