import { join } from 'node:path'
import type { Config } from '../core/config/config.ts'
import type { Layout } from '../core/layout.ts'
import { layoutOf } from '../core/layout.ts'
import { type FileSystem, realFileSystem } from './file-system.ts'
import { findSshd, openSshd, type Sshd } from './openssh.ts'
import { runCommand } from './run-command.ts'
import { type SshService, unmanagedService } from './service.ts'
import { openSystemd } from './systemd.ts'

/** A host as the provisioner sees it: its places, its files, its sshd and what restarts that. */
export interface Host {
  layout: Layout
  /** Whether this is a tree under `--root`, where nothing runs. */
  tree: boolean
  /** Where a path of the host lies for this process (`--root`). */
  at(path: string): string
  fs: FileSystem
  /** Who must own what we write: root, in earnest. */
  owner: { uid: number; gid: number }
  sshd: Sshd | undefined
  service: SshService
}

/** The host that this process runs on, or the tree of another one under `root`. */
export function openHost(config: Config['sshd'], root = '/'): Host {
  const fs = realFileSystem
  const at = (path: string) => join(root, path)
  const tree = root !== '/'
  const program = findSshd(fs, at)
  // In a tree, sshd reads /etc/ssh of the tree, as the host will once it has booted.
  const argv = program === undefined ? [] : tree ? ['chroot', root, program] : [program]
  return {
    layout: layoutOf(config),
    tree,
    at,
    fs,
    owner: { uid: 0, gid: 0 },
    sshd:
      program === undefined
        ? undefined
        : openSshd(argv, runCommand, { fs, runFolder: at('/run/sshd') }),
    service: !tree && isBooted(fs) ? openSystemd(runCommand) : unmanagedService,
  }
}

/** Whether systemd is the init, as sd_booted(3) tells it. */
function isBooted(fs: FileSystem): boolean {
  try {
    return fs.lstatSync('/run/systemd/system').isDirectory()
  } catch {
    return false
  }
}
