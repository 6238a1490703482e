/** The sshd_config(5) drop-in that makes sshd trust the keys in `caFile`. */
export function renderDropIn({ caFile }: { caFile: string }): string {
  return `# Written by pomerium-host-agent, which overwrites changes made here.
# Trusts the Pomerium User CA keys in the file below; undo with: pomerium-host-agent remove
TrustedUserCAKeys ${caFile}
`
}
