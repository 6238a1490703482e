import type { Layout } from '../config/layout.ts'
import type { Observation } from '../host/observation.ts'
import { isOwnLine, ownDropIns } from '../host/place-drop-in.ts'
import { showBytes } from '../sshd-config/bytes.ts'
import { scanOf } from '../sshd-config/config-snapshot.ts'
import { type Directive, describePlace, isUnconditional } from '../sshd-config/directive.ts'
import { settings } from '../sshd-config/effective-line.ts'

/** A `TrustedUserCAKeys` that is not ours; `file` is `undefined` where it says `none`. */
export interface ForeignCa {
  at: Directive
  file?: string
}

/** What is looked at: sshd's configuration, and what of it was there before us. */
export type Looked = Pick<Observation, 'config' | 'found'>

/**
 * Every line of others that sets `TrustedUserCAKeys`. What stands in our own places is not theirs,
 * whatever it says, unless it was found there: it is written anew.
 */
export function findForeignCas({ config, found }: Looked, layout: Layout): ForeignCa[] {
  const isOwn = isOwnLine(config, ownDropIns(layout, found))
  return settings(scanOf(config), 'trustedusercakeys').flatMap(at => {
    if (isOwn(at)) return []
    const [file = 'none'] = at.args
    return [{ at, ...(file.toLowerCase() === 'none' ? {} : { file }) }]
  })
}

/** What sshd would go by without us: of the lines of others, the first at global scope. */
export function foreignCaInForce(host: Looked, layout: Layout): ForeignCa | undefined {
  return findForeignCas(host, layout).find(isGlobal)
}

/** `/etc/ssh/sshd_config.d/00-x.conf:3 (TrustedUserCAKeys /etc/ssh/other.pub)` */
export function describeForeignCa({ at, file }: ForeignCa): string {
  return `${describePlace(at)} (TrustedUserCAKeys ${showBytes(file ?? 'none')}${scopeOf(at)})`
}

function scopeOf(at: Directive): string {
  const block = at.matches.at(-1)
  return block === undefined ? '' : `, in Match ${showBytes(block.criteria.join(' '))}`
}

/** Whether it stands in no Match. */
export function isGlobal({ at }: ForeignCa): boolean {
  return at.matches.length === 0
}

/** Whether it holds for some connections only, such as those of one user. */
export function isForSome({ at }: ForeignCa): boolean {
  return !isUnconditional(at)
}
