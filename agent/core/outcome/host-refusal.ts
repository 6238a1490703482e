export type HostRefusalCode =
  | 'sshd-missing'
  | 'sshd-config-broken'
  | 'sshd-version-unknown'
  | 'pubkey-authentication-off'
  | 'certificates-not-accepted'
  | 'ca-type-not-accepted'
  | 'no-principals'
  | 'revoked-keys-missing'
  | 'revoked-keys-unreadable'
  | 'not-a-regular-file'
  | 'not-a-folder'
  | 'foreign-revoked-keys'
  | 'revoked-keys-not-united'
  | 'foreign-ca'
  | 'foreign-ca-unreadable'
  | 'foreign-ca-key'
  | 'unexplained-ca'
  | 'shadowed'
  | 'include-missing'
  | 'no-way-to-restart'
  | 'contested'
  | 'read-only'
  | 'state-damaged'
  | 'not-given-back'
  | 'stood-down'
  | 'signers-file-missing'
  | 'signers-file-unsafe'
  | 'signers-file-malformed'
  | 'ssh-keygen-failed'
  | 'busy'

/** Why a host is left as it is. */
export interface HostRefused {
  kind: 'host-refused'
  code: HostRefusalCode
  message: string
}

export function refuseHost(code: HostRefusalCode, message: string): HostRefused {
  return { kind: 'host-refused', code, message }
}
