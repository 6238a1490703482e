import type { Layout } from '../config/layout.ts'
import { othersRevoking } from '../foreign/foreign-revoked-keys.ts'
import type { Observation } from '../host/observation.ts'
import type { Step } from '../host/step.ts'
import { describePlace } from '../sshd-config/directive.ts'
import { planFile, takeBack } from './plan-files.ts'

/** Writes the list of revoked keys, which must be there before sshd reads its name. */
export function planRevokedKeys(
  host: Observation,
  { revokedKeys }: Layout,
  text: string | undefined,
): Step[] {
  return text === undefined ? [] : planFile({ ...revokedKeys, vital: true }, text, host)
}

/**
 * Takes a list away that we had written, for after the restart: an sshd that has read its name refuses
 * every key without it. What was found there before us comes back.
 */
export function dropRevokedKeys(host: Observation, layout: Layout): Step[] {
  const { path } = layout.revokedKeys
  const ours = host.written?.find(each => each.path === path)
  return ours !== undefined && mayGo(host, layout, path) ? takeBack(ours, host) : []
}

/**
 * Whether a list may go, be it one at a former place. It stays while the service is stopped, whose place
 * an sshd started by hand may have taken, and while others name it.
 */
export function mayGo(host: Observation, layout: Layout, path: string): boolean {
  const { service } = host
  const stopped = service.kind === 'not-running' && service.socket === undefined
  return !stopped && whyRevokedKeysStay(host, layout, path) === undefined
}

/** Why a list can't be taken away, for a person; `undefined` where it can, or is not there. */
export function whyRevokedKeysStay(
  host: Observation,
  layout: Layout,
  path: string,
): string | undefined {
  if (host.files.get(path)?.kind !== 'file') return undefined
  const [other] = othersRevoking(host, layout, path)
  const stays = (why: string, remedy: string) =>
    `${path}: ${why}, and sshd would refuse every key without it; ${remedy}`
  if (other !== undefined) {
    return stays(`${describePlace(other)} names it`, 'take that line away')
  }
  return host.service.kind === 'not-ours'
    ? stays(
        `an sshd may go by it that we can't restart (${host.service.why})`,
        'restart that, then delete the file',
      )
    : undefined
}
