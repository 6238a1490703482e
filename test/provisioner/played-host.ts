// A host under a temporary folder whose sshd is played well enough to be fooled by nothing: it uses
// what its configuration files say, read as sshd reads them, and goes on using what it was started with.

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Config } from '../../agent/core/config/config.ts'
import { layoutOf } from '../../agent/core/config/layout.ts'
import { contains } from '../../agent/core/host/trust-proofs.ts'
import type { Directive } from '../../agent/core/sshd-config/directive.ts'
import { parseEffectiveConfig } from '../../agent/core/sshd-config/effective-config.ts'
import { settings } from '../../agent/core/sshd-config/effective-line.ts'
import { scanSshdConfig } from '../../agent/core/sshd-config/scan.ts'
import { type FileSystem, realFileSystem } from '../../agent/provisioner/files/file-system.ts'
import type { Host } from '../../agent/provisioner/host/host.ts'

/** The machine: what outlives the processes that work on it. */
export interface Machine extends Disposable {
  root: string
  at(path: string): string
  /** What the sshd that runs has read at its start. */
  running: string
  restarts: number
  /** What an sshd would use that started now. */
  onDisk(): string
}

export const MAIN = '/etc/ssh/sshd_config'

export function newMachine(parent: string): Machine {
  const root = mkdtempSync(join(parent, 'played-host-'))
  const at = (path: string) => join(root, path)
  for (const folder of ['etc/ssh/sshd_config.d', 'var/lib', 'run']) {
    mkdirSync(at(folder), { recursive: true })
  }
  writeFileSync(at(MAIN), 'Include /etc/ssh/sshd_config.d/*.conf\n')
  const onDisk = () =>
    ['trustedusercakeys', 'revokedkeys']
      .flatMap(keyword => settings(scan(root), keyword))
      .map(({ args, matches }) => JSON.stringify([args, matches.map(({ criteria }) => criteria)]))
      .join()
  return {
    root,
    at,
    running: onDisk(),
    restarts: 0,
    onDisk,
    [Symbol.dispose]: () => rmSync(root, { recursive: true, force: true }),
  }
}

/** A process's view of the machine; `beAlive` throws where that process is dead. */
export function hostOn(
  machine: Machine,
  config: Config['sshd'],
  fs: FileSystem = realFileSystem,
  beAlive: () => void = () => {},
): Host {
  return {
    layout: layoutOf(config),
    tree: false,
    at: machine.at,
    fs,
    mainConfig: MAIN,
    owner: { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 },
    isRoot: true,
    sshd: {
      async test() {
        beAlive()
        return { ok: true }
      },
      async version() {
        beAlive()
        return { major: 9, minor: 2 }
      },
      async effective({ addr }) {
        beAlive()
        const all = settings(scan(machine.root), 'trustedusercakeys')
        const scoped = all.find(
          it => it.matches.length > 0 && addr !== undefined && isFor(it, addr ?? '192.0.2.1'),
        )
        const winner = scoped ?? all.find(it => it.matches.length === 0)
        const file = winner?.args[0] ?? 'none'
        const [list] = settings(scan(machine.root), 'revokedkeys')
        const revoked = `revokedkeys ${list?.args[0] ?? 'none'}\n`
        const trusted = `pubkeyauthentication yes\ntrustedusercakeys ${file}\n`
        return parseEffectiveConfig(trusted + revoked)
      },
    },
    service: {
      async state() {
        beAlive()
        return { kind: 'running', unit: 'ssh.service' }
      },
      found: async () => ({ state: { kind: 'unmanaged' } }),
      restarts: () => ({ recent: [], total: machine.restarts }),
      async restart() {
        beAlive()
        machine.restarts += 1
        machine.running = machine.onDisk()
        return 'restarted'
      },
    },
  }
}

function scan(root: string): Directive[] {
  return scanSshdConfig(MAIN, {
    read: path => orNothing(() => realFileSystem.readFileSync(join(root, path), 'utf8')),
    list: folder => orNothing(() => realFileSystem.readdirSync(join(root, folder))) ?? [],
  })
}

// The criteria of our own drop-in are the only ones that stand on these hosts.
function isFor({ matches }: Directive, address: string): boolean {
  return matches.every(({ criteria: [, ranges = ''] }) =>
    ranges.split(',').some(range => contains(range, address)),
  )
}

function orNothing<T>(look: () => T): T | undefined {
  try {
    return look()
  } catch {
    return undefined
  }
}
