import { type Run, runCommand } from '../processes/run-command.ts'

/** How to start a program so that it can gain nothing: what goes before it, and whom spawn(2) makes it. */
export interface Confinement {
  prefix: readonly string[]
  identity: { uid?: number; gid?: number }
}

const NO_NEW_PRIVILEGES = '--no-new-privs'
const DIES_WITH_PARENT = ['--pdeathsig', 'KILL']

/**
 * The most that this host's setpriv(1) can do: no new privileges, no capability even in the bounding set,
 * death with its parent. Busybox has some of that, a container's root may not do all, and a host without
 * any is left with the change of user, which is the wall itself.
 */
export async function findConfinement(
  user: { uid: number; gid: number } | undefined,
  run: Run = runCommand,
): Promise<Confinement> {
  for (const { flags, identity } of user === undefined ? UNPRIVILEGED : asUser(user)) {
    const prefix = ['setpriv', ...flags]
    if ((await run([...prefix, 'true'])).code === 0) return { prefix, identity }
  }
  return { prefix: [], identity: user ?? {} }
}

const UNPRIVILEGED = [
  { flags: [NO_NEW_PRIVILEGES, ...DIES_WITH_PARENT], identity: {} },
  { flags: [NO_NEW_PRIVILEGES], identity: {} },
]

function asUser(user: { uid: number; gid: number }) {
  const ids = [`--reuid=${user.uid}`, `--regid=${user.gid}`, '--clear-groups', '--inh-caps=-all']
  const flags = [NO_NEW_PRIVILEGES, ...DIES_WITH_PARENT, ...ids]
  return [
    { flags: [...flags, '--bounding-set=-all'], identity: {} },
    { flags, identity: {} },
    // spawn() drops the supplementary groups too when it is root that sets a uid.
    { flags: [NO_NEW_PRIVILEGES], identity: user },
  ]
}
