import { posix } from 'node:path'
import type { Config } from './config.ts'

/** A path of ours with the mode it must have; who owns it is the host's to say (root, in earnest). */
export interface Place {
  path: string
  mode: number
}

/** Every place this program touches, as the host names it (before any `--root`). */
export interface Layout {
  caFolder: Place
  caFile: Place
  /** Beside the CA file, for all that is said of its folder holds for it too. */
  revokedKeys: Place
  dropInFolder: Place
  dropIn: Place
  stateFolder: Place
  stateFile: Place
  journal: Place
  /** Here from `remove` to the next `apply` or `configure`. */
  stoodDown: Place
  runFolder: Place
  socket: Place
  /** The daemon's own: notes of its polls, memory of webhooks. */
  daemonFolder: Place
  pollRecord: Place
  statusFile: Place
  restarts: Place
  lock: Place
}

/** Its name: by it a list is known that lies beside a former `sshd.ca_file`, which can't be called so. */
const REVOKED_KEYS = 'pomerium_revoked_user_ca_keys'

/** Whether a file that we have written is a list of revoked keys, be it at a former place. */
export function isRevokedKeys(path: string): boolean {
  return posix.basename(path) === REVOKED_KEYS
}

const STATE = '/var/lib/pomerium-host-agent'
const DAEMON = '/var/lib/pomerium-host-agent-daemon'
const RUN = '/run/pomerium-host-agent'

/** Owner and mode of each file are declared here once; write, check and status all read them here. */
export function layoutOf(sshd: Pick<Config['sshd'], 'caFile' | 'dropIn'>): Layout {
  return {
    caFolder: { path: posix.dirname(sshd.caFile), mode: 0o755 },
    caFile: { path: sshd.caFile, mode: 0o600 },
    revokedKeys: {
      path: posix.join(posix.dirname(sshd.caFile), REVOKED_KEYS),
      mode: 0o600,
    },
    dropInFolder: { path: posix.dirname(sshd.dropIn), mode: 0o755 },
    dropIn: { path: sshd.dropIn, mode: 0o600 },
    stateFolder: { path: STATE, mode: 0o700 },
    stateFile: { path: `${STATE}/state.json`, mode: 0o600 },
    journal: { path: `${STATE}/journal.json`, mode: 0o600 },
    stoodDown: { path: `${STATE}/stood-down.json`, mode: 0o600 },
    runFolder: { path: RUN, mode: 0o755 },
    statusFile: { path: `${RUN}/status.json`, mode: 0o644 },
    daemonFolder: { path: DAEMON, mode: 0o755 },
    pollRecord: { path: `${DAEMON}/polls.json`, mode: 0o644 },
    socket: { path: `${RUN}/provisioner.sock`, mode: 0o660 },
    restarts: { path: `${STATE}/restarts.json`, mode: 0o600 },
    lock: { path: `${STATE}/lock`, mode: 0o600 },
  }
}
