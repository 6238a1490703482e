// A host that is a temporary folder, with an sshd that is played: for what the real ones can't be
// made to do often enough or badly enough.

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { layoutOf } from '../../agent/core/config/layout.ts'
import { parseConfig } from '../../agent/core/config/parse-config.ts'
import { parseEffectiveConfig } from '../../agent/core/sshd-config/effective-config.ts'
import { type FileSystem, realFileSystem } from '../../agent/provisioner/files/file-system.ts'
import { lookAt } from '../../agent/provisioner/files/read-file-state.ts'
import type { Host } from '../../agent/provisioner/host/host.ts'
import { makeOwnFolder } from '../../agent/provisioner/transaction/own-folder.ts'

export interface TemporaryHost extends Disposable {
  host: Host
  root: string
  /** How often sshd was restarted. */
  restarts(): number
}

/** The default config. */
export function defaultConfig() {
  const parsed = parseConfig(undefined, {})
  if ('errors' in parsed) throw new Error('the defaults are wrong')
  return parsed.config
}

/** Plays an sshd that uses what the drop-in under `root` says. */
export async function temporaryHost(fs: FileSystem = realFileSystem): Promise<TemporaryHost> {
  const root = mkdtempSync(join(tmpdir(), 'temporary-host-'))
  mkdirSync(join(root, 'etc/ssh/sshd_config.d'), { recursive: true })
  mkdirSync(join(root, 'var/lib'), { recursive: true })
  mkdirSync(join(root, 'run'))
  writeFileSync(join(root, 'etc/ssh/sshd_config'), 'Include /etc/ssh/sshd_config.d/*.conf\n')
  let restarts = 0
  const layout = layoutOf(defaultConfig().sshd)
  const at = (path: string) => join(root, path)
  const host: Host = {
    layout,
    tree: false,
    at,
    fs,
    mainConfig: '/etc/ssh/sshd_config',
    owner: { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 },
    isRoot: true,
    sshd: {
      test: async () => ({ ok: true }),
      version: async () => ({ major: 9, minor: 2 }),
      effective: async () => {
        const file = lookAt(realFileSystem, at(layout.dropIn.path))
        const text = file.kind === 'file' ? file.content.toString() : ''
        return parseEffectiveConfig(`pubkeyauthentication yes\n${text}`)
      },
    },
    service: {
      state: async () => ({ kind: 'running', unit: 'ssh.service' }),
      found: async () => ({ state: { kind: 'unmanaged' } }),
      restarts: () => ({ recent: [], total: restarts }),
      restart: async () => {
        restarts += 1
        return 'restarted'
      },
    },
  }
  await makeOwnFolder(host, layout.stateFolder)
  return {
    host,
    root,
    restarts: () => restarts,
    [Symbol.dispose]: () => rmSync(root, { recursive: true, force: true }),
  }
}
