// Which OpenSSH the machine has, and whether a throwaway sshd can run on it.

import { execFileSync } from 'node:child_process'
import { accessSync, constants, existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'

export type Tools =
  | {
      ok: true
      sshd: string
      ssh: string
      sshKeygen: string
      /** What sshd must be started with on this machine. */
      prefix: readonly string[]
    }
  | { ok: false; why: string }

/** The paths of sshd, ssh and ssh-keygen, or what is missing and how to get it. */
export function findTools(): Tools {
  if (process.platform !== 'linux') return { ok: false, why: 'a throwaway sshd needs Linux' }
  const paths = { sshd: find('sshd'), ssh: find('ssh'), 'ssh-keygen': find('ssh-keygen') }
  const { sshd, ssh, 'ssh-keygen': sshKeygen } = paths
  if (sshd === undefined || ssh === undefined || sshKeygen === undefined) {
    const hint = 'apt-get install openssh-server openssh-client (dnf: openssh-clients)'
    const missing = Object.entries(paths).filter(([, path]) => path === undefined)
    return { ok: false, why: `no ${missing.map(([name]) => name).join(', ')}; try: ${hint}` }
  }
  // As an ordinary user sshd needs nothing of the machine. As root it insists on an empty folder
  // that Debian's ssh.service makes; it gets one that only it can see.
  if (process.getuid?.() !== 0) return { ok: true, sshd, ssh, sshKeygen, prefix: [] }
  const privateRun = 'mount -t tmpfs tmpfs /run && mkdir -m 0755 /run/sshd && exec "$@"'
  const prefix = ['unshare', '--mount', 'sh', '-c', privateRun, 'sh']
  if (succeeds([...prefix, 'true'])) return { ok: true, sshd, ssh, sshKeygen, prefix }
  if (existsSync('/run/sshd')) return { ok: true, sshd, ssh, sshKeygen, prefix: [] }
  const why = 'as root, sshd needs /run/sshd, and this container lets us mount nothing over /run'
  return { ok: false, why: `${why}; try: mkdir /run/sshd, or run as an ordinary user` }
}

function find(tool: string): string | undefined {
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
