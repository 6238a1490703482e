// Every kind of plan, each with the host that it begins on.

import { chmodSync, rmSync, writeFileSync } from 'node:fs'
import type { Config } from '../../../agent/core/config/config.ts'
import type { Outcome } from '../../../agent/core/outcome/outcome.ts'
import { runExclusively, type WorkResult } from '../../../agent/provisioner/exclusive-run.ts'
import type { FileSystem } from '../../../agent/provisioner/files/file-system.ts'
import type { Host } from '../../../agent/provisioner/host/host.ts'
import { provision } from '../../../agent/provisioner/provision.ts'
import { remove } from '../../../agent/provisioner/remove.ts'
import { repair } from '../../../agent/provisioner/repair.ts'
import { newKeyLine } from '../../ssh-keys.ts'
import { hostOn, MAIN, type Machine } from '../played-host.ts'
import { defaultConfig } from '../temporary-host.ts'

export const REVOKED = '/var/lib/pomerium/pomerium_revoked_user_ca_keys'
export const CA = '/var/lib/pomerium/pomerium_user_ca_key.pub'
const DROP_IN = '/etc/ssh/sshd_config.d/pomerium-ca.conf'
const EARLIER = new Date('2026-11-20T10:00:00Z')
const NOW = new Date('2026-11-20T12:00:00Z')
const first = `${newKeyLine('ed25519')} first\n`
const second = `${newKeyLine('p256')} second\n`
const third = newKeyLine('ed25519')
const foreign = `${newKeyLine('ed25519')} foreign\n`
const revoking = `${first}@revoked ${third}\n`

export interface Scenario {
  name: string
  /** What the work that is disturbed has to do, undisturbed. */
  expected: Outcome['outcome']
  /** Brings a fresh machine to where it begins. */
  prepare(machine: Machine): Promise<void>
  /** The work; runs in turn, as every command does. */
  run(machine: Machine, fs?: FileSystem, beAlive?: () => void): Promise<Outcome>
  /** A turn that does nothing of its own: what is left of the one before it is cleared up. */
  recover(machine: Machine): Promise<Outcome>
}

export const scenarios: Scenario[] = [
  scenario('a fresh host', async () => {}, apply(first)),
  scenario('a rotation', applied, apply(second)),
  scenario(
    'a mode that drifted',
    async it => {
      await applied(it)
      chmodSync(it.at(CA), 0o644)
      chmodSync(it.at(DROP_IN), 0o666)
    },
    apply(first),
  ),
  scenario(
    'content that drifted, repaired',
    async it => {
      await applied(it)
      writeFileSync(it.at(CA), 'edited\n')
      rmSync(it.at(DROP_IN))
    },
    async (host, config) => repair(config, NOW, host),
  ),
  scenario('a block in sshd_config', withoutInclude, apply(first)),
  scenario(
    'another owner adopted',
    async it => {
      writeFileSync(it.at('/etc/ssh/other.pub'), foreign)
      writeFileSync(
        it.at('/etc/ssh/sshd_config.d/00-other.conf'),
        'TrustedUserCAKeys /etc/ssh/other.pub\n',
      )
      it.running = it.onDisk()
    },
    apply(first),
    { conflict: 'adopt' },
  ),
  scenario('a config that changed', applied, apply(first), { acceptFrom: ['192.0.2.0/24'] }),
  scenario('a key that is revoked', applied, apply(revoking)),
  scenario('a key that is revoked on a fresh host', async () => {}, apply(revoking)),
  scenario('one that is revoked no longer', revoked, apply(first)),
  scenario('remove with a revoked key', revoked, host => remove(host, undefined, { now: NOW })),
  scenario('remove', applied, host => remove(host, undefined, { now: NOW })),
  scenario(
    'remove with a block',
    async it => {
      await withoutInclude(it)
      await turn(it, apply(first), EARLIER)
    },
    host => remove(host, undefined, { now: NOW }),
  ),
  scenario(
    'the same key under a new serial',
    applied,
    apply(`# serial: 7\n${first}`),
    {},
    'unchanged',
  ),
]

type Work = (host: Host, config: Config) => Promise<WorkResult>

function scenario(
  name: string,
  prepare: Scenario['prepare'],
  work: Work,
  sshd: Partial<Config['sshd']> = {},
  expected: Outcome['outcome'] = 'applied',
): Scenario {
  return {
    name,
    expected,
    prepare,
    run: (machine, fs, beAlive) => turn(machine, work, NOW, sshd, fs, beAlive),
    recover: machine => turn(machine, async () => ({ outcome: nothing }), NOW, sshd),
  }
}

const nothing: Outcome = { outcome: 'unchanged', message: '', steps: [], trusted: [] }

function turn(
  machine: Machine,
  work: Work,
  now: Date,
  sshd: Partial<Config['sshd']> = {},
  fs?: FileSystem,
  beAlive?: () => void,
): Promise<Outcome> {
  const base = defaultConfig()
  const config = { ...base, sshd: { ...base.sshd, ...sshd } }
  const host = hostOn(machine, config.sshd, fs, beAlive)
  return runExclusively(host, now, () => work(host, config))
}

function apply(bundle: string, now = NOW): Work {
  return (host, config) =>
    provision({ bundle: Buffer.from(bundle), source: 'test', config, now }, host)
}

async function applied(machine: Machine): Promise<void> {
  await turn(machine, apply(first, EARLIER), EARLIER)
}

async function revoked(machine: Machine): Promise<void> {
  await turn(machine, apply(revoking, EARLIER), EARLIER)
}

async function withoutInclude(machine: Machine): Promise<void> {
  writeFileSync(machine.at(MAIN), 'Port 22\nMatch User bob\n    X11Forwarding no')
}
