/**
 * Whether anybody listens on a Unix socket, by `/proc/PID/net/unix` (proc(5)): the fourth column holds the
 * flags, of which 00010000 says that it accepts connections; the last is the path. To ask so wakes nobody,
 * as a connection would.
 */
export function isListening(table: string, path: string): boolean {
  return table.split('\n').some(line => {
    const [, , , flags = '', , , , bound] = line.trim().split(/\s+/)
    return bound === path && (Number.parseInt(flags, 16) & 0x10000) !== 0
  })
}
