/**
 * What stands behind the marker of a revoked key (sshd(8), SSH_KNOWN_HOSTS FILE FORMAT); `undefined`
 * where the line has none.
 */
export function afterRevokedMarker(line: string): string | undefined {
  return /^[ \t]*@revoked[ \t]+(.*)$/.exec(line)?.[1]
}

/** The line of a bundle that revokes a key, from the one that would trust it. */
export function withRevokedMarker(line: string): string {
  return `@revoked ${line}`
}
