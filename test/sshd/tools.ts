// Which OpenSSH the machine has, and whether a throwaway sshd can run on it.

import { execFileSync } from 'node:child_process'
import { accessSync, constants, existsSync } from 'node:fs'
import { userInfo } from 'node:os'
import { delimiter, join } from 'node:path'

const TOOLS = ['sshd', 'ssh', 'ssh-keygen'] as const
export type Tool = (typeof TOOLS)[number]

export type Tools =
  | {
      ok: true
      sshd: string
      ssh: string
      sshKeygen: string
      /** What sshd must be started with on this machine. */
      prefix: readonly string[]
      /** Whom that sshd can let in. */
      user: string
    }
  | { ok: false; why: string }

/** The paths of sshd, ssh and ssh-keygen, or what is missing and how to get it. */
export function findTools(): Tools {
  if (process.platform !== 'linux') return { ok: false, why: 'a throwaway sshd needs Linux' }
  const [sshd, ssh, sshKeygen] = TOOLS.map(find)
  if (sshd === undefined || ssh === undefined || sshKeygen === undefined) {
    const hint = 'apt-get install openssh-server openssh-client (dnf: openssh-clients)'
    return { ok: false, why: `no ${missingTools().join(', ')}; try: ${hint}` }
  }
  const way = process.getuid?.() === 0 ? asRoot() : asUser()
  return 'why' in way ? { ok: false, ...way } : { ok: true, sshd, ssh, sshKeygen, ...way }
}

/** As `findTools`, for tests that run commands: nobody's shell runs none. */
export function findToolsAndShell(): Tools {
  const tools = findTools()
  if (!tools.ok || tools.user !== NOBODY) return tools
  const why = 'as root, sshd needs /run/sshd, and this container lets us mount nothing over /run'
  return { ok: false, why: `${why}; try: mkdir /run/sshd, or run as an ordinary user` }
}

export function missingTools(): Tool[] {
  return TOOLS.filter(tool => find(tool) === undefined)
}

const NOBODY = 'nobody'
type Way = { prefix: readonly string[]; user: string } | { why: string }

// As an ordinary user sshd needs nothing of the machine.
function asUser(): Way {
  try {
    return { prefix: [], user: userInfo().username }
  } catch {
    return { why: `OpenSSH wants a name for each user, and ${process.getuid?.()} has none here` }
  }
}

// As root it insists on a user that comes with its package, and on an empty folder that Debian's ssh.service
// makes; it gets one that only it can see. Where that can't be, it runs as nobody, and reads what is root's.
function asRoot(): Way {
  if (succeeds(['getent', 'passwd', 'sshd'])) {
    const privateRun = 'mount -t tmpfs tmpfs /run && mkdir -m 0755 /run/sshd && exec "$@"'
    const prefix = ['unshare', '--mount', 'sh', '-c', privateRun, 'sh']
    if (succeeds([...prefix, 'true'])) return { prefix, user: 'root' }
    if (existsSync('/run/sshd')) return { prefix: [], user: 'root' }
  }
  // A change of user takes back that sshd is to die with us (prctl(2), PR_SET_PDEATHSIG): asked for again.
  const identity = ['--reuid', NOBODY, '--regid', '65534', '--clear-groups', '--pdeathsig', 'KILL']
  const reads = ['--inh-caps', '+dac_override', '--ambient-caps', '+dac_override']
  const prefix = ['setpriv', ...identity, ...reads]
  if (succeeds([...prefix, 'true'])) return { prefix, user: NOBODY }
  return { why: 'as root, sshd can run neither as root nor as nobody here; try an ordinary user' }
}

function find(tool: Tool): string | undefined {
  // Ordinary users rarely have sbin on their PATH.
  const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/local/sbin', '/usr/sbin']
  return folders.map(folder => join(folder, tool)).find(isExecutable)
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

function succeeds([file = '', ...args]: readonly string[]): boolean {
  try {
    execFileSync(file, args, { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}
