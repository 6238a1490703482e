import { settingOnCommandLine } from './command-line.ts'
import { scanWith } from './config-snapshot.ts'
import { describeForeignCa, type ForeignCa, findOthersTrust } from './foreign-ca.ts'
import type { Layout } from './layout.ts'
import type { Observation } from './observation.ts'
import { type HostRefused, refuseHost, whoSets } from './refuse-host.ts'
import { describePlace, isUnconditional, type Place } from './sshd-config/directive.ts'
import { settingsBefore } from './sshd-config/reach.ts'

/** Why we must not, or could not, come before what others have set for `TrustedUserCAKeys`. */
export function refuseConflict(
  foreign: readonly ForeignCa[],
  host: Observation,
  layout: Layout,
  { acceptFrom, conflict }: { acceptFrom?: readonly string[]; conflict: 'refuse' | 'adopt' },
): HostRefused | undefined {
  const widened = refuseWidened(host, layout, acceptFrom)
  if (widened !== undefined) return widened
  const before = settingsBefore(layout.dropIn.path, scanWith(host.config), 'trustedusercakeys')
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
  return undefined
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
