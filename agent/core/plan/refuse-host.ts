import { MAX_BUNDLE_BYTES } from '../bundle/limits.ts'
import type { Layout } from '../config/layout.ts'
import { noneForPrincipals, PRINCIPALS } from '../host/authorized-principals.ts'
import type { Observation } from '../host/observation.ts'
import { outrankingPaths } from '../host/place-drop-in.ts'
import { describeRevokedKeys, revokedKeysFile } from '../host/revoked-keys.ts'
import { whoSets } from '../host/who-sets.ts'
import { acceptsCertificates, excludedCaType } from '../keys/ca-algorithms.ts'
import type { CaKeyType } from '../keys/ca-key.ts'
import { type HostRefused, refuseHost } from '../outcome/host-refusal.ts'
import { showBytes } from '../sshd-config/bytes.ts'
import { scanOf } from '../sshd-config/config-snapshot.ts'
import { describePlace, isUnconditional } from '../sshd-config/directive.ts'
import type { EffectiveConfig } from '../sshd-config/effective-config.ts'
import { overrides } from '../sshd-config/effective-line.ts'

/** What keeps certificates from logging in whatever we do, or our files from being written. */
export function unfitness(
  host: Observation,
  layout: Layout,
  caTypes: readonly CaKeyType[],
): HostRefused | undefined {
  const { sshd } = host
  if (sshd.kind === 'absent' && !host.tree) {
    return refuseHost('sshd-missing', 'there is no sshd on this host; install openssh-server first')
  }
  if (sshd.kind === 'broken') {
    return refuseHost(
      'sshd-config-broken',
      `sshd refuses its own configuration, from before us; mend it first: ${sshd.message}`,
    )
  }
  if (host.unclear !== undefined) {
    return refuseHost(
      'sshd-version-unknown',
      `${describePlace(host.unclear)} is read otherwise before OpenSSH 8.7 than since, and no sshd runs here to say which it is; write that line plainly, without NUL, quotes or # within a word`,
    )
  }
  return (
    unfitPlaces(host, layout) ??
    (sshd.kind === 'readable' ? unfitConfig(host, layout, sshd.effective, caTypes) : undefined)
  )
}

function unfitPlaces(host: Observation, layout: Layout): HostRefused | undefined {
  const { caFile, revokedKeys, dropIn } = layout
  const own = [caFile, revokedKeys, dropIn].map(({ path }) => path)
  for (const path of [...own, ...outrankingPaths(layout)]) {
    const state = host.files.get(path)
    if (state?.kind !== 'folder' && state?.kind !== 'other') continue
    const what = state.kind === 'folder' ? 'folder' : state.what
    const remedy = 'move it away: only regular files are written here'
    return refuseHost('not-a-regular-file', `${path} is a ${what}; ${remedy}`)
  }
  for (const [path, { content }] of host.found) {
    // It is kept in the state, which is read back to a limit.
    if (Buffer.byteLength(content, 'base64') <= MAX_BUNDLE_BYTES) continue
    return refuseHost(
      'not-a-regular-file',
      `${path} is a file of more than ${MAX_BUNDLE_BYTES / 1024} KiB that others laid; move it away`,
    )
  }
  for (const { path } of [layout.caFolder, layout.dropInFolder]) {
    const state = host.files.get(path)
    if (state?.kind !== 'file' && state?.kind !== 'other') continue
    return refuseHost('not-a-folder', `${path} must be a folder; move away what is there`)
  }
  return undefined
}

function unfitConfig(
  host: Observation,
  layout: Layout,
  effective: EffectiveConfig,
  caTypes: readonly CaKeyType[],
): HostRefused | undefined {
  const at = (keyword: string, value?: string) => whoSets(keyword, host, value)
  if (effective.get('pubkeyauthentication')?.[0] === 'no') {
    return refuseHost(
      'pubkey-authentication-off',
      `no certificate can log in: PubkeyAuthentication is "no", by ${at('pubkeyauthentication', 'no')}; set it to "yes" there`,
    )
  }
  if (!acceptsCertificates(effective)) {
    return refuseHost(
      'certificates-not-accepted',
      `no certificate can log in: PubkeyAcceptedAlgorithms, by ${at('pubkeyacceptedalgorithms')}, names no certificate type; add ssh-ed25519-cert-v01@openssh.com there`,
    )
  }
  const excluded = excludedCaType(caTypes, effective)
  if (excluded !== undefined) {
    return refuseHost(
      'ca-type-not-accepted',
      `a CA of type ${excluded} can not log anyone in: CASignatureAlgorithms, by ${at('casignaturealgorithms')}, leaves it out; add it there, or use a CA of another type`,
    )
  }
  return noPrincipals(host, effective) ?? unfitRevokedKeys(host, effective, layout)
}

function unfitRevokedKeys(
  host: Observation,
  effective: EffectiveConfig,
  { revokedKeys }: Layout,
): HostRefused | undefined {
  const override = overrides(scanOf(host.config), 'revokedkeys').find(isUnconditional)
  const [used = 'none'] = effective.get('revokedkeys') ?? []
  const file = used === 'none' ? override && revokedKeysFile(override) : used
  const fault = file === undefined ? undefined : host.revokedKeys.get(file)
  // What is wrong with our own is put right.
  if (file === undefined || file === revokedKeys.path || fault === undefined) return undefined
  const by = whoSets('revokedkeys', host)
  const remedy =
    used === 'none' ? 'a Match knows no "none"; take that line away' : `make that file, be it empty`
  return fault.kind === 'missing'
    ? refuseHost(
        'revoked-keys-missing',
        `sshd refuses every key while ${showBytes(file)} is missing, which RevokedKeys names, by ${by}; ${remedy}`,
      )
    : refuseHost(
        'revoked-keys-unreadable',
        `sshd refuses every key by RevokedKeys, of ${by}: it names ${describeRevokedKeys(file, fault)}; put a list of keys there, be it empty`,
      )
}

function noPrincipals(host: Observation, effective: EffectiveConfig): HostRefused | undefined {
  for (const keyword of PRINCIPALS) {
    // `sshd -T` prints the name "none" as it prints that there is none.
    if (effective.get(keyword.toLowerCase())?.[0]?.toLowerCase() !== 'none') continue
    const at = noneForPrincipals(host.config, keyword).find(isUnconditional)
    if (at === undefined) continue
    return refuseHost(
      'no-principals',
      `no certificate can log in: sshd takes "none" for a name in ${keyword}, by ${describePlace(at)}; take that line away`,
    )
  }
  return undefined
}
