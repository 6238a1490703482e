import type { EffectiveConfig } from '../sshd-config/effective-config.ts'
import type { CaKeyType } from './ca-key.ts'

/** What Pomerium signs with, by the type of its CA; an RSA one never by SHA-1. */
const SIGNATURES: Record<CaKeyType, readonly string[]> = {
  'ssh-ed25519': ['ssh-ed25519'],
  'ecdsa-sha2-nistp256': ['ecdsa-sha2-nistp256'],
  'ecdsa-sha2-nistp384': ['ecdsa-sha2-nistp384'],
  'ecdsa-sha2-nistp521': ['ecdsa-sha2-nistp521'],
  'ssh-rsa': ['rsa-sha2-512'],
}

/** The first of the types whose signatures sshd does not take (`CASignatureAlgorithms`). */
export function excludedCaType(
  types: readonly CaKeyType[],
  effective: EffectiveConfig,
): CaKeyType | undefined {
  const allowed = list(effective, 'casignaturealgorithms')
  return allowed === undefined
    ? undefined
    : types.find(type => !SIGNATURES[type].some(name => allowed.includes(name)))
}

/** Whether `CASignatureAlgorithms` names this one; not where sshd is too old to have the keyword. */
export function acceptsSignatures(algorithm: string, effective: EffectiveConfig): boolean {
  return list(effective, 'casignaturealgorithms')?.includes(algorithm) ?? false
}

/** Whether sshd takes certificates of any kind at all (`PubkeyAcceptedAlgorithms`). */
export function acceptsCertificates(effective: EffectiveConfig): boolean {
  const allowed =
    list(effective, 'pubkeyacceptedalgorithms') ?? list(effective, 'pubkeyacceptedkeytypes')
  return allowed === undefined || allowed.some(name => /-cert-v\d\d@openssh\.com$/.test(name))
}

function list(effective: EffectiveConfig, keyword: string): string[] | undefined {
  return effective.get(keyword)?.[0]?.split(',')
}
