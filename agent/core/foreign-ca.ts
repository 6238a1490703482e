import { type Directive, describePlace, isUnconditional } from './sshd-config/directive.ts'
import { settings } from './sshd-config/who-wins.ts'

/** A `TrustedUserCAKeys` that is not ours; `file` is `undefined` where it says `none`. */
export interface ForeignCa {
  at: Directive
  file?: string
}

/** Every line that sets `TrustedUserCAKeys` to something else than our CA file. */
export function findForeignCas(directives: readonly Directive[], caFile: string): ForeignCa[] {
  return settings(directives, 'trustedusercakeys').flatMap(at => {
    const [file = 'none'] = at.args
    if (file === caFile) return []
    return [{ at, ...(file.toLowerCase() === 'none' ? {} : { file }) }]
  })
}

/** `/etc/ssh/sshd_config.d/00-x.conf:3 (TrustedUserCAKeys /etc/ssh/other.pub)` */
export function describeForeignCa({ at, file }: ForeignCa): string {
  return `${describePlace(at)} (TrustedUserCAKeys ${file ?? 'none'}${scopeOf(at)})`
}

function scopeOf(at: Directive): string {
  const block = at.matches.at(-1)
  return block === undefined ? '' : `, in Match ${block.criteria.join(' ')}`
}

/** Whether it holds for some connections only, such as those of one user. */
export function isForSome({ at }: ForeignCa): boolean {
  return !isUnconditional(at)
}
