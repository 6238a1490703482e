/** The first descriptor that systemd hands over; sd_listen_fds(3), SD_LISTEN_FDS_START. */
const FIRST = 3

/**
 * The descriptor of the socket that systemd listens on for us; `undefined` where it hands over
 * none, or meant another process.
 */
export function listenDescriptor(
  environment: Readonly<Record<string, string | undefined>>,
  pid: number,
): number | undefined {
  const { LISTEN_PID, LISTEN_FDS } = environment
  return LISTEN_PID === String(pid) && Number(LISTEN_FDS) >= 1 ? FIRST : undefined
}
