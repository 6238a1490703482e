import { type ConfigSnapshot, scanWith } from './config-snapshot.ts'
import { findForeignCas, isForSome } from './foreign-ca.ts'
import type { Layout } from './layout.ts'
import { type Directive, describePlace } from './sshd-config/directive.ts'
import { overrides, settings } from './sshd-config/who-wins.ts'

/**
 * What the administrator has narrowed for some connections, and is left so: those who are meant log
 * in otherwise, but who wonders why a certificate is refused finds the place here.
 */
export function narrowings(config: ConfigSnapshot, layout: Layout): string[] {
  const directives = scanWith(config)
  const pubkeyOff = overrides(directives, 'pubkeyauthentication').filter(
    ({ args }) => args[0]?.toLowerCase() === 'no',
  )
  const noCa = withoutCaForSome(config, layout)
  return [
    ...[...pubkeyOff, ...noCa].map(at => `${describePlace(at)}: no certificate logs in${whom(at)}`),
    ...['AuthorizedPrincipalsFile', 'AuthorizedPrincipalsCommand'].flatMap(keyword =>
      settings(directives, keyword)
        .filter(({ args }) => args[0] !== undefined && args[0].toLowerCase() !== 'none')
        .map(
          at =>
            `${describePlace(at)}: who logs in is decided by ${keyword} ${at.args.join(' ')}, not by the name in the certificate alone`,
        ),
    ),
    ...settings(directives, 'authenticationmethods')
      .filter(({ args }) => !args.some(methods => /^(any|publickey(:\w+)?)$/i.test(methods)))
      .map(
        at =>
          `${describePlace(at)}: a certificate alone logs no one in (AuthenticationMethods ${at.args.join(' ')})`,
      ),
  ]
}

/** The lines by which the administrator lets some log in by no CA at all. */
export function withoutCaForSome(config: ConfigSnapshot, layout: Layout): Directive[] {
  return findForeignCas(config, layout)
    .filter(foreign => foreign.file === undefined && isForSome(foreign))
    .map(({ at }) => at)
}

function whom({ matches }: Directive): string {
  const criteria = matches.at(-1)?.criteria
  return criteria === undefined ? '' : ` where Match ${criteria.join(' ')}`
}
