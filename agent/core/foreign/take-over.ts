import type { Layout } from '../config/layout.ts'
import type { Observation } from '../host/observation.ts'
import { showBytes } from '../sshd-config/bytes.ts'
import type { Place } from '../sshd-config/directive.ts'
import { trustedUserCaKeys } from '../sshd-config/effective-config.ts'
import { type CaFileOwner, ownerOfCaFile } from './ca-file-owner.ts'
import {
  describeForeignCa,
  type ForeignCa,
  findForeignCas,
  isForSome,
  isGlobal,
} from './foreign-ca.ts'

/** A line of others, and whose keys it trusts; those that say `none` have no owner. */
export interface JudgedCa extends ForeignCa {
  owner?: CaFileOwner
}

/** The lines of others, each with whose keys it trusts; one that is revoked is the publisher's to judge. */
export function judgeForeignCas(
  host: Observation,
  layout: Layout,
  {
    keys,
    revoked,
    published,
  }: {
    keys: readonly { fingerprint: string }[]
    revoked: readonly { fingerprint: string }[]
    published: readonly string[]
  },
): JudgedCa[] {
  const known = new Set([
    ...published,
    ...[...keys, ...revoked].map(({ fingerprint }) => fingerprint),
  ])
  const { sshd } = host
  const goesByOurs =
    sshd.kind === 'readable' && trustedUserCaKeys(sshd.effective) === layout.caFile.path
  return findForeignCas(host, layout).map(foreign => {
    const { file } = foreign
    if (file === undefined) return foreign
    // Within a Match nothing outranks it.
    const isOutranked = goesByOurs && isGlobal(foreign)
    return { ...foreign, owner: ownerOfCaFile(file, host, layout, known, isOutranked) }
  })
}

/** Whether it trusts the publisher's keys and no others: to outrank it takes nothing from anybody. */
export function isPublishers({ owner }: JudgedCa): boolean {
  return owner?.kind === 'publisher'
}

/** The lines at global scope that a host was set up with by hand: outranked, whatever `conflict` says. */
export function linesTakenOver(judged: readonly JudgedCa[]): Place[] {
  const lines = judged.filter(each => isGlobal(each) && isPublishers(each))
  // A file that is included twice stands twice.
  return [
    ...new Map(lines.map(({ at: { file, line } }) => [`${file}:${line}`, { file, line }])).values(),
  ].map(({ file, line }) => ({ file: showBytes(file), line }))
}

/** The lines within a Match that trust the publisher's keys by a file of their own, which no bundle renews. */
export function linesLeft(judged: readonly JudgedCa[], layout: Layout): JudgedCa[] {
  return judged.filter(
    ({ at, file, owner }) =>
      file !== layout.caFile.path &&
      isForSome({ at }) &&
      // Ours by another name has no keys of its own.
      owner?.kind === 'publisher' &&
      owner.keys.length > 0,
  )
}

/** What a line that is left means, for who sets up a host and for who rotates. */
export function warnOfLeft(left: JudgedCa, keys: readonly { fingerprint: string }[]): string {
  const { owner } = left
  const all = owner?.kind === 'publisher' ? owner.keys : []
  const retired = all.filter(each => keys.every(({ fingerprint }) => fingerprint !== each))
  const means =
    retired.length === 0
      ? 'after a rotation the old key still logs in there, and the new one does not'
      : `${retired.join(', ')}, which the bundle no longer names, still logs in there`
  return `${describeForeignCa(left)} goes by a file of its own: ${means}; remove that line`
}
