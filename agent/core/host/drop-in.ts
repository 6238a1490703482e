/** What the drop-in must bring about. */
export interface DropIn {
  caFile: string
  /** Trust the CA only on connections from these; absent: from anywhere. */
  acceptFrom?: readonly string[]
  /** Whom sshd never shuts out after failed logins; absent: as sshd has it. */
  exemptFromPenalties?: readonly string[]
  /** Beside `acceptFrom`: from anywhere else no CA is trusted, whatever others set at global scope. */
  shut?: boolean
  /** The file of CA keys that are dead; absent where there are none. */
  revokedKeys?: string
}

const HEAD = `# Written by pomerium-host-agent, which overwrites changes made here.
# Trusts the Pomerium User CA keys in the file below; undo with: pomerium-host-agent remove
`

/**
 * The sshd_config(5) drop-in that makes sshd trust the keys in `caFile`. A `Match` ends with the
 * file that it stands in, since Include came (8.2): nothing that is read behind it is scoped. What is
 * revoked is so from anywhere, and stands before it.
 */
export function renderDropIn({
  caFile,
  acceptFrom,
  exemptFromPenalties,
  revokedKeys,
  shut = false,
}: DropIn): string {
  const trust = `TrustedUserCAKeys ${caFile}\n`
  // In a Match sshd refuses it.
  const exemption =
    exemptFromPenalties === undefined
      ? ''
      : `PerSourcePenaltyExemptList ${exemptFromPenalties.join(',')}\n`
  const revocation = revokedKeys === undefined ? '' : `RevokedKeys ${revokedKeys}\n`
  const head = `${HEAD}${exemption}${revocation}`
  if (acceptFrom === undefined) return `${head}${trust}`
  const elsewhere = shut ? 'TrustedUserCAKeys none\n' : ''
  return `${head}${elsewhere}Match Address ${acceptFrom.join(',')}\n    ${trust}`
}

/** Whether a file begins as ours do. */
export function isOwnDropIn(text: string): boolean {
  return text.startsWith(HEAD)
}
