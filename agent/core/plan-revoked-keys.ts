import { othersRevoking } from './foreign-revoked-keys.ts'
import type { Layout } from './layout.ts'
import type { Observation } from './observation.ts'
import { planFile, removeIfThere } from './plan-files.ts'
import { describePlace } from './sshd-config/directive.ts'
import type { Step } from './step.ts'

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
 * every key without it. So it stays while the service is stopped, whose place an sshd started by hand may
 * have taken, and while others name it.
 */
export function dropRevokedKeys(host: Observation, layout: Layout): Step[] {
  const { path } = layout.revokedKeys
  const { service } = host
  const stopped = service.kind === 'not-running' && service.socket === undefined
  const isOurs = host.written?.some(each => each.path === path) ?? false
  return isOurs && !stopped && whyRevokedKeysStay(host, layout) === undefined
    ? removeIfThere(path, host.files)
    : []
}

/** Why the list can't be taken away, for a person; `undefined` where it can, or is not there. */
export function whyRevokedKeysStay(host: Observation, layout: Layout): string | undefined {
  const { path } = layout.revokedKeys
  if (host.files.get(path)?.kind !== 'file') return undefined
  const [other] = othersRevoking(host, layout)
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
