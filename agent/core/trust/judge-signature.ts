import type { AllowedSigner } from './allowed-signers.ts'
import { matchesPatternList } from './pattern-list.ts'
import type { Question } from './second-verifier.ts'
import type { Signer } from './signer.ts'
import { NAMESPACE, type SignatureRefusalCode, verifySshsig } from './sshsig.ts'

export type SignerRefusalCode =
  | SignatureRefusalCode
  | 'unknown-signer'
  | 'signer-namespace'
  | 'signer-not-yet-valid'
  | 'signer-expired'

/**
 * Whose signature this is, as `ssh-keygen -Y verify` decides it: the signature is right, and a line
 * names its key and lets it sign for our namespace now. Which principal that line names is told, not
 * asked: the file is for bundles alone.
 */
export function judgeSignature(
  { armor, signed }: { armor: string; signed: Uint8Array },
  signers: readonly AllowedSigner[],
  now: Date,
):
  | { kind: 'signed'; signer: Signer; question: Question }
  | { kind: 'refused'; code: SignerRefusalCode; message: string } {
  const verdict = verifySshsig(armor, signed)
  if (verdict.kind === 'refused') return verdict
  const { fingerprint, base64 } = verdict
  const lines = signers.filter(({ key }) => key.base64 === base64)
  const judged = lines.map(line => ({ line, refusal: refusalBy(line, now) }))
  const good = judged.find(({ refusal }) => refusal === undefined)
  if (good !== undefined) {
    const { principals, principal, untimed } = good.line
    return {
      kind: 'signed',
      signer: { principal: principals, fingerprint },
      question: { armor, signed, signersLine: untimed, principal },
    }
  }
  const [first] = judged
  if (first?.refusal === undefined) {
    const message = `it is signed by ${fingerprint}, which trust.signers_file does not name`
    return { kind: 'refused', code: 'unknown-signer', message }
  }
  const { code, why } = first.refusal
  const message = `it is signed by ${first.line.principals} (${fingerprint}), ${why}, by line ${first.line.line} of trust.signers_file`
  return { kind: 'refused', code, message }
}

// As in ssh-keygen, both ends of the time belong to it, to the second.
function refusalBy(
  { namespaces, validAfter, validBefore }: AllowedSigner,
  now: Date,
): { code: SignerRefusalCode; why: string } | undefined {
  if (namespaces !== undefined && !matchesPatternList(NAMESPACE, namespaces)) {
    return { code: 'signer-namespace', why: `who may not sign for ${NAMESPACE}` }
  }
  const second = Math.floor(now.getTime() / 1000) * 1000
  if (validAfter !== undefined && second < validAfter.getTime()) {
    return { code: 'signer-not-yet-valid', why: `who may sign from ${validAfter.toISOString()}` }
  }
  if (validBefore !== undefined && second > validBefore.getTime()) {
    return { code: 'signer-expired', why: `who could sign until ${validBefore.toISOString()}` }
  }
  return undefined
}
