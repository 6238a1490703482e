/** What the drop-in must bring about. */
export interface DropIn {
  caFile: string
  /** Trust the CA only on connections from these; absent: from anywhere. */
  acceptFrom?: readonly string[]
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
export function renderDropIn({ caFile, acceptFrom, revokedKeys }: DropIn): string {
  const head = revokedKeys === undefined ? HEAD : `${HEAD}RevokedKeys ${revokedKeys}\n`
  const trust = `TrustedUserCAKeys ${caFile}\n`
  return acceptFrom === undefined
    ? `${head}${trust}`
    : `${head}Match Address ${acceptFrom.join(',')}\n    ${trust}`
}

/** Whether a file begins as ours do. */
export function isOwnDropIn(text: string): boolean {
  return text.startsWith(HEAD)
}
