import type { Layout } from '../config/layout.ts'
import type { Observation } from '../host/observation.ts'
import { whoSets } from '../host/who-sets.ts'
import { type HostRefused, refuseHost } from '../outcome/host-refusal.ts'
import { showBytes } from '../sshd-config/bytes.ts'
import { settingOnCommandLine } from '../sshd-config/command-line.ts'
import { scanOf } from '../sshd-config/config-snapshot.ts'
import { describePlace, type Place } from '../sshd-config/directive.ts'
import { trustedUserCaKeys } from '../sshd-config/effective-config.ts'
import { settings } from '../sshd-config/effective-line.ts'
import { settingsBefore } from '../sshd-config/include-reach.ts'
import { describeOwner } from './ca-file-owner.ts'
import { describeForeignCa, isForSome, isGlobal } from './foreign-ca.ts'
import { isPublishers, type JudgedCa } from './take-over.ts'

/** Why we must not, or could not, come before what others have set for `TrustedUserCAKeys`. */
export function refuseConflict(
  judged: readonly JudgedCa[],
  host: Observation,
  layout: Layout,
  { acceptFrom, conflict }: { acceptFrom?: readonly string[]; conflict: 'refuse' | 'adopt' },
): HostRefused | undefined {
  return (
    refuseCommandLine(host, layout, acceptFrom) ??
    refuseScoped(judged, layout) ??
    (conflict === 'refuse'
      ? refuseDisplacing(judged, host, layout)
      : refuseToAdopt(judged, layout)) ??
    (acceptFrom === undefined ? undefined : refuseWidened(judged, layout)) ??
    refuseUnexplained(host, layout)
  )
}

// Within a Match a line wins over whatever is set at global scope.
function refuseScoped(judged: readonly JudgedCa[], layout: Layout): HostRefused | undefined {
  const scoped = judged.find(each => {
    if (isGlobal(each) || (each.file === undefined && isForSome(each))) return false
    // One for some that trusts our keys alone is left as it is, and warned of.
    return !isPublishers(each) || (each.file !== layout.caFile.path && !isForSome(each))
  })
  if (scoped === undefined) return undefined
  return refuseHost(
    'foreign-ca',
    `what a Match sets wins and can not be adopted: ${describeJudged(scoped)}; remove that line first`,
  )
}

function refuseDisplacing(
  judged: readonly JudgedCa[],
  { config }: Observation,
  layout: Layout,
): HostRefused | undefined {
  const before = settingsBefore(layout.dropIn.path, scanOf(config), 'trustedusercakeys')
  const isBefore = ({ file, line }: Place) =>
    before.some(earlier => earlier.file === file && earlier.line === line)
  const displaced = judged.filter(isGlobal).find(each => {
    return each.file === undefined ? isBefore(each.at) : !isPublishers(each)
  })
  if (displaced === undefined) return undefined
  return refuseHost(
    displaced.file === undefined ? 'shadowed' : 'foreign-ca',
    `another owner's line wins: ${describeJudged(displaced)}; remove it, or set sshd.conflict: adopt to trust its keys too`,
  )
}

// What is adopted is read anew at each look, and that file is where ours are to be.
function refuseToAdopt(judged: readonly JudgedCa[], layout: Layout): HostRefused | undefined {
  const caFile = layout.caFile.path
  const inPlace = judged.find(each => each.file === caFile && !isPublishers(each))
  if (inPlace === undefined) return undefined
  return refuseHost(
    'foreign-ca',
    `another owner's keys lie where ours are to be: ${describeJudged(inPlace)}; move them into a file of their own and name that in the line, or set sshd.ca_file to another`,
  )
}

function describeJudged(judged: JudgedCa): string {
  const { owner } = judged
  return [describeForeignCa(judged), ...(owner ? [describeOwner(owner)] : [])].join('; ')
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

// What wins over a file whatever we write there.
function refuseCommandLine(
  host: Observation,
  layout: Layout,
  acceptFrom: readonly string[] | undefined,
): HostRefused | undefined {
  const option = settingOnCommandLine(host.commandLine, 'trustedusercakeys')
  if (option === undefined) return undefined
  if (option.args[0] === layout.caFile.path && acceptFrom === undefined) return undefined
  return refuseHost(
    'shadowed',
    `no file wins over ${whoSets('trustedusercakeys', host)}; take it away there`,
  )
}

// What trusts our keys where they are not to be trusted, and can't be outranked: what a Match says, and
// at global scope what others' keys stand beside.
function refuseWidened(judged: readonly JudgedCa[], layout: Layout): HostRefused | undefined {
  const inForce = judged.find(isGlobal)
  const wide = judged.find(each => {
    const { owner } = each
    const isMixed = owner?.kind === 'others' && owner.ours.length > 0
    return isGlobal(each) ? each === inForce && isMixed : isPublishers(each)
  })
  if (wide === undefined) return undefined
  const keys = wide.file === layout.caFile.path ? layout.caFile.path : 'keys of ours'
  const remedy = isGlobal(wide)
    ? `${describeJudged(wide)}; take ours out of that file`
    : 'remove that line'
  return refuseHost(
    'shadowed',
    `${describePlace(wide.at)} trusts ${keys} whatever sshd.accept_from says; ${remedy}`,
  )
}
