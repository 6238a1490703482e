import { findForeignCas, isForSome } from './foreign-ca.ts'
import { type Directive, describePlace } from './sshd-config/directive.ts'
import { overrides, settings } from './sshd-config/who-wins.ts'

/**
 * What the administrator has narrowed for some connections, and is left so: those who are meant log
 * in otherwise, but who wonders why a certificate is refused finds the place here.
 */
export function narrowings(directives: readonly Directive[], caFile: string): string[] {
  const pubkeyOff = overrides(directives, 'pubkeyauthentication').filter(
    ({ args }) => args[0]?.toLowerCase() === 'no',
  )
  const noCa = findForeignCas(directives, caFile)
    .filter(foreign => foreign.file === undefined && isForSome(foreign))
    .map(({ at }) => at)
  return [
    ...[...pubkeyOff, ...noCa].map(at => `${describePlace(at)}: no certificate logs in${whom(at)}`),
    ...settings(directives, 'authorizedprincipalsfile')
      .filter(({ args }) => args[0] !== undefined && args[0].toLowerCase() !== 'none')
      .map(
        at =>
          `${describePlace(at)}: who logs in is decided by AuthorizedPrincipalsFile ${at.args[0]}`,
      ),
    ...settings(directives, 'authenticationmethods')
      .filter(({ args }) => !args.some(methods => /^(any|publickey(:\w+)?)$/i.test(methods)))
      .map(
        at =>
          `${describePlace(at)}: a certificate alone logs no one in (AuthenticationMethods ${at.args.join(' ')})`,
      ),
  ]
}

function whom({ matches }: Directive): string {
  const criteria = matches.at(-1)?.criteria
  return criteria === undefined ? '' : ` where Match ${criteria.join(' ')}`
}
