import type { Layout } from '../config/layout.ts'
import { noneForPrincipals, PRINCIPALS } from '../host/authorized-principals.ts'
import type { Observation } from '../host/observation.ts'
import { brokenRevocations, describeRevokedKeys } from '../host/revoked-keys.ts'
import { showBytes } from '../sshd-config/bytes.ts'
import { scanOf } from '../sshd-config/config-snapshot.ts'
import { type Directive, describePlace } from '../sshd-config/directive.ts'
import { overrides, settings } from '../sshd-config/effective-line.ts'
import { findForeignCas, isForSome, type Looked } from './foreign-ca.ts'

/**
 * What the administrator has narrowed for some connections, and is left so: those who are meant log
 * in otherwise, but who wonders why a certificate is refused finds the place here.
 */
export function narrowings(
  host: Looked & Pick<Observation, 'revokedKeys'>,
  layout: Layout,
): string[] {
  const { config, revokedKeys } = host
  const directives = scanOf(config)
  const pubkeyOff = overrides(directives, 'pubkeyauthentication').filter(
    ({ args }) => args[0]?.toLowerCase() === 'no',
  )
  const noCa = withoutCaForSome(host, layout)
  const own = layout.revokedKeys.path
  return [
    ...[...pubkeyOff, ...noCa].map(at => `${describePlace(at)}: no certificate logs in${whom(at)}`),
    ...brokenRevocations(config, revokedKeys, own).map(
      ({ at, file, fault }) =>
        `${describePlace(at)}: no key logs in${whom(at)}: RevokedKeys names ${describeRevokedKeys(file, fault)}`,
    ),
    ...PRINCIPALS.flatMap(keyword =>
      noneForPrincipals(config, keyword)
        .filter(({ matches }) => matches.length > 0)
        .map(
          at =>
            `${describePlace(at)}: no certificate logs in${whom(at)}: "none" is a name in ${keyword} there`,
        ),
    ),
    ...PRINCIPALS.flatMap(keyword =>
      settings(directives, keyword)
        .filter(({ args }) => args[0] !== undefined && args[0].toLowerCase() !== 'none')
        .map(
          at =>
            `${describePlace(at)}: who logs in is decided by ${keyword} ${showBytes(at.args.join(' '))}, not by the name in the certificate alone`,
        ),
    ),
    ...settings(directives, 'authenticationmethods')
      .filter(({ args }) => !args.some(methods => /^(any|publickey(:\w+)?)$/i.test(methods)))
      .map(
        at =>
          `${describePlace(at)}: a certificate alone logs no one in (AuthenticationMethods ${showBytes(at.args.join(' '))})`,
      ),
  ]
}

/** The lines by which the administrator lets some log in by no CA at all. */
export function withoutCaForSome(host: Looked, layout: Layout): Directive[] {
  return findForeignCas(host, layout)
    .filter(foreign => foreign.file === undefined && isForSome(foreign))
    .map(({ at }) => at)
}

function whom({ matches }: Directive): string {
  const criteria = matches.at(-1)?.criteria
  return criteria === undefined ? '' : ` where Match ${showBytes(criteria.join(' '))}`
}
