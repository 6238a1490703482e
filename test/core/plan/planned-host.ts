// Hosts as `observe` would find them, for the planner's tests.

import { renderCaKeys } from '../../../agent/core/bundle/bundle.ts'
import { layoutOf } from '../../../agent/core/config/layout.ts'
import { renderDropIn } from '../../../agent/core/host/drop-in.ts'
import type { FileState, Observation, SshdState } from '../../../agent/core/host/observation.ts'
import { outrankingPaths } from '../../../agent/core/host/place-drop-in.ts'
import type { Step } from '../../../agent/core/host/step.ts'
import { type CaKey, parseCaKey } from '../../../agent/core/keys/ca-key.ts'
import type { Plan } from '../../../agent/core/plan/plan.ts'
import type { Wanted } from '../../../agent/core/plan/wanted.ts'
import { parseEffectiveConfig } from '../../../agent/core/sshd-config/effective-config.ts'
import { newKeyLine } from '../../ssh-keys.ts'

export const CA = '/var/lib/pomerium/pomerium_user_ca_key.pub'
export const DROP_IN = '/etc/ssh/sshd_config.d/pomerium-ca.conf'
export const MAIN = '/etc/ssh/sshd_config'
const sshd = { caFile: CA, dropIn: DROP_IN, conflict: 'refuse', restart: 'rotation' } as const
export const layout = layoutOf(sshd)

export function newCaKey(type: Parameters<typeof newKeyLine>[0] = 'ed25519'): CaKey {
  const parsed = parseCaKey(newKeyLine(type))
  if (parsed.kind === 'refused') throw new Error(parsed.message)
  return parsed.key
}

export const KEY = newCaKey()
export const WANTED: Wanted = { ...sshd, keys: [KEY], revoked: [], published: [] }

const FOLDER: FileState = { kind: 'folder', mode: 0o755, uid: 0, gid: 0 }

export function file(text: string, mode = 0o600, uid = 0): FileState {
  return { kind: 'file', content: Buffer.from(text), mode, uid, gid: 0 }
}

export function uses(caFile: string, more = ''): SshdState {
  const text = `pubkeyauthentication yes\nTrustedUserCAKeys ${caFile}\n${more}`
  return { kind: 'readable', effective: parseEffectiveConfig(text) }
}

/** A host with these configuration files, and nothing of ours unless it is among them. */
export function hostWith(
  texts: Record<string, string> = {},
  shape: Partial<Observation> = {},
  states: Record<string, FileState> = {},
): Observation {
  const all = new Map(
    Object.entries({ [MAIN]: 'Include /etc/ssh/sshd_config.d/*.conf\n', ...texts }),
  )
  const places = [CA, DROP_IN, MAIN, ...outrankingPaths(layout)]
  const files = new Map<string, FileState>(
    places.map(path => {
      const text = all.get(path)
      return [
        path,
        text === undefined ? { kind: 'missing' } : file(text, path === MAIN ? 0o644 : 0o600),
      ]
    }),
  )
  files.set('/var/lib/pomerium', { kind: 'missing' })
  files.set('/etc/ssh/sshd_config.d', FOLDER)
  for (const [path, state] of Object.entries(states)) files.set(path, state)
  const inDropIns = [...all.keys()].filter(path => path.startsWith('/etc/ssh/sshd_config.d/'))
  const names = inDropIns.map(path => path.slice(path.lastIndexOf('/') + 1))
  return {
    files,
    config: {
      main: MAIN,
      syntax: 'since-8.7',
      texts: all,
      folders: new Map([['/etc/ssh/sshd_config.d', names]]),
    },
    commandLine: [],
    includes: true,
    foreignCaFiles: new Map(),
    found: new Map(),
    unwritable: new Map(),
    revokedKeys: new Map(),
    restartDue: false,
    sshd: uses('none'),
    service: { kind: 'running', unit: 'ssh.service' },
    owner: { uid: 0, gid: 0 },
    tree: false,
    unseen: [],
    ...shape,
  }
}

export const OURS = renderDropIn({ caFile: CA })

/** A host that is as `WANTED` wants it, but for what is given. */
export function satisfied(
  states: Record<string, FileState> = {},
  shape: Partial<Observation> = {},
): Observation {
  const own = { [CA]: file(renderCaKeys([KEY])), '/var/lib/pomerium': FOLDER, ...states }
  return hostWith({ [DROP_IN]: OURS }, { sshd: uses(CA), ...shape }, own)
}

/** The steps of a plan as one word and a path each. */
export function outline(steps: readonly Step[]): string[] {
  return steps.map(step => ('path' in step ? `${step.do} ${step.path}` : step.do))
}

export function stepsOf(plan: Plan): string[] {
  if (plan.kind !== 'steps') throw new Error(`${plan.code}: ${plan.message}`)
  return outline(plan.steps)
}
