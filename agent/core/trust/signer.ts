import { shape, text } from '../basics/stored-form.ts'

/** Whose signature a bundle carries, as verified by this host. */
export interface Signer {
  /** As it stands in `trust.signers_file` (ssh-keygen(1), ALLOWED SIGNERS). */
  principal: string
  /** Of the signing key, `SHA256:…`. */
  fingerprint: string
}

export const isSigner = shape({ principal: text, fingerprint: text })
