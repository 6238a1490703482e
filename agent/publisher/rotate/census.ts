import { parseBundle } from '../../core/bundle/bundle.ts'
import type { HostReport } from '../notify/notify.ts'
import { editionOf, type Rotation } from './rotation.ts'

/** Where each host of a rotation stands, whether or not it was asked in this run. */
export type HostStanding = Omit<HostReport, 'state' | 'attempts'> & {
  state: HostReport['state'] | 'left-behind' | 'not-asked'
}

/** All hosts in the order of the list: what each said in this run, or had said before. */
export function census(
  rotation: Rotation,
  phase: 'both' | 'new',
  reports: readonly HostReport[],
): HostStanding[] {
  const { confirmed, leftBehind, hosts } = rotation
  const beside = new Map(rotation.beside.map(each => [each.host, each.trusted]))
  const heard = new Map(reports.map(report => [report.host, report]))
  const { text, serial } = editionOf(rotation, phase)
  const bundle = parseBundle(Buffer.from(text))
  const keys = bundle.kind === 'bundle' ? bundle.keys : []
  const trusted = keys.map(({ type, fingerprint, comment }) => ({ type, fingerprint, comment }))
  return hosts.map((host): HostStanding => {
    const report = heard.get(host)
    if (report !== undefined) return report
    if (confirmed[phase].includes(host)) {
      const others = phase === 'new' ? (beside.get(host) ?? []) : []
      const said = [...trusted, ...others]
      return { host, state: 'converged', message: 'confirmed it before', trusted: said, serial }
    }
    return leftBehind.includes(host)
      ? { host, state: 'left-behind', message: 'left behind, and not asked' }
      : { host, state: 'not-asked', message: 'not asked in this call' }
  })
}
