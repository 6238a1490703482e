import { isOwnLine } from './arrangement.ts'
import { type ConfigSnapshot, scanOf } from './config-snapshot.ts'
import type { Layout } from './layout.ts'
import { showBytes } from './sshd-config/bytes.ts'
import { type Directive, describePlace, isUnconditional } from './sshd-config/directive.ts'
import { settings } from './sshd-config/who-wins.ts'

/** A `TrustedUserCAKeys` that is not ours; `file` is `undefined` where it says `none`. */
export interface ForeignCa {
  at: Directive
  file?: string
}

/**
 * Every line of others that sets `TrustedUserCAKeys` to something else than our CA file. What stands
 * in our own places is not theirs, whatever it says: it is written anew.
 */
export function findForeignCas(config: ConfigSnapshot, layout: Layout): ForeignCa[] {
  return linesOfOthers(config, layout).flatMap(at => asForeignCa(at, layout) ?? [])
}

function asForeignCa(at: Directive, layout: Layout): ForeignCa | undefined {
  const [file = 'none'] = at.args
  if (file === layout.caFile.path) return undefined
  return { at, ...(file.toLowerCase() === 'none' ? {} : { file }) }
}

/** What sshd would go by without us: of the lines of others, the first at global scope. */
export function foreignCaInForce(config: ConfigSnapshot, layout: Layout): ForeignCa | undefined {
  const first = linesOfOthers(config, layout).find(({ matches }) => matches.length === 0)
  return first && asForeignCa(first, layout)
}

/** The lines of others that trust our CA file: harmless, but where it is to be trusted in part. */
export function findOthersTrust(config: ConfigSnapshot, layout: Layout): Directive[] {
  return linesOfOthers(config, layout).filter(({ args }) => args[0] === layout.caFile.path)
}

function linesOfOthers(config: ConfigSnapshot, layout: Layout): Directive[] {
  const isOwn = isOwnLine(config, layout)
  return settings(scanOf(config), 'trustedusercakeys').filter(line => !isOwn(line))
}

/** `/etc/ssh/sshd_config.d/00-x.conf:3 (TrustedUserCAKeys /etc/ssh/other.pub)` */
export function describeForeignCa({ at, file }: ForeignCa): string {
  return `${describePlace(at)} (TrustedUserCAKeys ${showBytes(file ?? 'none')}${scopeOf(at)})`
}

function scopeOf(at: Directive): string {
  const block = at.matches.at(-1)
  return block === undefined ? '' : `, in Match ${showBytes(block.criteria.join(' '))}`
}

/** Whether it holds for some connections only, such as those of one user. */
export function isForSome({ at }: ForeignCa): boolean {
  return !isUnconditional(at)
}
