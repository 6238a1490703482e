import { type ConfigSnapshot, scanOf } from '../sshd-config/config-snapshot.ts'
import type { Directive } from '../sshd-config/directive.ts'
import { settings } from '../sshd-config/effective-line.ts'

/** What decides whose certificate is whose, in the place of the names in it. */
export const PRINCIPALS = ['AuthorizedPrincipalsFile', 'AuthorizedPrincipalsCommand'] as const

/**
 * The lines by which no certificate logs in, though they say `none`: sshd takes that for nothing only
 * of a file at global scope (servconf.c, CLEAR_ON_NONE). Elsewhere it is a file in each home, or a
 * command that can't be run, and whoever has none is refused (auth2-pubkey.c).
 */
export function noneForPrincipals(
  config: ConfigSnapshot,
  keyword: (typeof PRINCIPALS)[number],
): Directive[] {
  return settings(scanOf(config), keyword.toLowerCase()).filter(
    ({ args, matches }) =>
      args[0]?.toLowerCase() === 'none' &&
      (matches.length > 0 || keyword === 'AuthorizedPrincipalsCommand'),
  )
}
