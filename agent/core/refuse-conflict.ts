import { settingOnCommandLine } from './command-line.ts'
import { scanOf } from './config-snapshot.ts'
import { trustedUserCaKeys } from './effective-config.ts'
import { describeForeignCa, type ForeignCa, findOthersTrust } from './foreign-ca.ts'
import type { Layout } from './layout.ts'
import type { Observation } from './observation.ts'
import { type HostRefused, refuseHost, whoSets } from './refuse-host.ts'
import { showBytes } from './sshd-config/bytes.ts'
import { describePlace, isUnconditional, type Place } from './sshd-config/directive.ts'
import { settingsBefore } from './sshd-config/reach.ts'
import { settings } from './sshd-config/who-wins.ts'

/** Why we must not, or could not, come before what others have set for `TrustedUserCAKeys`. */
export function refuseConflict(
  foreign: readonly ForeignCa[],
  host: Observation,
  layout: Layout,
  { acceptFrom, conflict }: { acceptFrom?: readonly string[]; conflict: 'refuse' | 'adopt' },
): HostRefused | undefined {
  const widened = refuseWidened(host, layout, acceptFrom)
  if (widened !== undefined) return widened
  const before = settingsBefore(layout.dropIn.path, scanOf(host.config), 'trustedusercakeys')
  const isBefore = ({ file, line }: Place) =>
    before.some(earlier => earlier.file === file && earlier.line === line)
  const scoped = foreign.find(
    ({ at, file }) => at.matches.length > 0 && (file !== undefined || isUnconditional(at)),
  )
  if (scoped !== undefined) {
    return refuseHost(
      'foreign-ca',
      `what a Match sets wins and can not be adopted: ${describeForeignCa(scoped)}; remove that line first`,
    )
  }
  const displaced = foreign.find(
    ({ at, file }) => file !== undefined || (at.matches.length === 0 && isBefore(at)),
  )
  if (displaced !== undefined && conflict === 'refuse') {
    return refuseHost(
      displaced.file === undefined ? 'shadowed' : 'foreign-ca',
      `another owner's line wins: ${describeForeignCa(displaced)}; remove it, or set sshd.conflict: adopt to trust its keys too`,
    )
  }
  return refuseUnexplained(host, layout)
}

// sshd's own word is the last. What it uses must not be displaced because we have missed its line.
function refuseUnexplained(
  { sshd, config, written = [] }: Observation,
  layout: Layout,
): HostRefused | undefined {
  const used = sshd.kind === 'readable' ? trustedUserCaKeys(sshd.effective) : undefined
  // Where our keys lay by other settings they are ours all the same.
  const own = [layout.caFile.path, ...written.map(({ path }) => path)]
  if (used === undefined || own.includes(used)) return undefined
  const lines = settings(scanOf(config), 'trustedusercakeys')
  if (lines.some(({ args: [file = ''] }) => comesTo(file, used))) return undefined
  return refuseHost(
    'unexplained-ca',
    `sshd trusts the CA keys in ${showBytes(used)} (sshd -T), and none of its lines here seems to say so; find that line, and remove it or write it plainly: TrustedUserCAKeys ${showBytes(used)}`,
  )
}

// sshd prints an absolute path, whatever its line says.
function comesTo(file: string, used: string): boolean {
  return file.startsWith('/') ? file === used : used.endsWith(`/${file.replace(/^~[^/]*\/*/, '')}`)
}

// What wins over a file whatever we write there, and what trusts our keys where we are not to.
function refuseWidened(
  host: Observation,
  layout: Layout,
  acceptFrom: readonly string[] | undefined,
): HostRefused | undefined {
  const caFile = layout.caFile.path
  const option = settingOnCommandLine(host.commandLine, 'trustedusercakeys')
  if (option !== undefined && (option.args[0] !== caFile || acceptFrom !== undefined)) {
    return refuseHost(
      'shadowed',
      `no file wins over ${whoSets('trustedusercakeys', host)}; take it away there`,
    )
  }
  const [anywhere] = acceptFrom === undefined ? [] : findOthersTrust(host.config, layout)
  if (anywhere === undefined) return undefined
  return refuseHost(
    'shadowed',
    `${describePlace(anywhere)} trusts ${caFile} whatever sshd.accept_from says; remove that line`,
  )
}
