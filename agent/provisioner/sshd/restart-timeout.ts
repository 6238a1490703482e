/** How long a restart of sshd may take before it counts as `timed-out`, in milliseconds. */
export const RESTART_TIMEOUT_MS = 60_000
