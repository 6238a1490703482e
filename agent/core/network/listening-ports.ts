/**
 * The TCP ports in state LISTEN, from `/proc/PID/net/tcp` or `tcp6` (proc(5)): the second column is
 * the local address, the fourth the state, 0A for LISTEN.
 */
export function parseListening(table: string): number[] {
  const ports = table
    .split('\n')
    .map(line => line.trim().split(/\s+/))
    .filter(([slot, , , state]) => /^\d+:$/.test(slot ?? '') && state === '0A')
    .map(([, local]) => Number.parseInt(local?.split(':').at(-1) ?? '', 16))
  return [...new Set(ports)]
}

/** Whether anything listens where sshd did; `undefined` where nobody has said where that was. */
export function listensOn(
  ports: readonly number[] | undefined,
  open: readonly number[],
): boolean | undefined {
  return ports === undefined || ports.length === 0
    ? undefined
    : ports.some(port => open.includes(port))
}
