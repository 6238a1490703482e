// The product's own view of a throwaway sshd: a host that is all in one folder and needs no root.

import { join } from 'node:path'
import type { Config } from '../../agent/core/config/config.ts'
import { layoutOf } from '../../agent/core/config/layout.ts'
import { parseConfig } from '../../agent/core/config/parse-config.ts'
import { type FileSystem, realFileSystem } from '../../agent/provisioner/files/file-system.ts'
import type { Host } from '../../agent/provisioner/host/host.ts'
import { openSshd } from '../../agent/provisioner/openssh/openssh.ts'
import { runCommand } from '../../agent/provisioner/processes/run-command.ts'
import { makeOwnFolder } from '../../agent/provisioner/transaction/own-folder.ts'
import type { ThrowawaySshd } from './throwaway-sshd.ts'
import { findTools } from './tools.ts'

/** The config of a host whose files lie below `root`, where sshd really reads them. */
export function throwawayConfig(root: string, yaml = ''): Config {
  const environment = {
    POMERIUM_HOST_AGENT_SSHD_CA_FILE: join(root, 'var/lib/pomerium/pomerium_user_ca_key.pub'),
    POMERIUM_HOST_AGENT_SSHD_DROP_IN: join(root, 'etc/ssh/sshd_config.d/pomerium-ca.conf'),
  }
  const parsed = parseConfig({ name: 'throwaway', text: yaml }, environment)
  if ('errors' in parsed) throw new Error(JSON.stringify(parsed.errors))
  return parsed.config
}

/** A host for the provisioner, whose sshd is the throwaway one; its own files lie below `root` too. */
export async function throwawayHost(
  sshd: ThrowawaySshd,
  config: Config,
  fs: FileSystem = realFileSystem,
): Promise<Host> {
  const tools = findTools()
  if (!tools.ok) throw new Error(tools.why)
  const argv = [...tools.prefix, tools.sshd, '-f', join(sshd.root, 'etc/ssh/sshd_config')]
  const host: Host = {
    layout: layoutOf(config.sshd),
    tree: false,
    at: path => (path.startsWith(sshd.root) ? path : join(sshd.root, path)),
    fs,
    mainConfig: join(sshd.root, 'etc/ssh/sshd_config'),
    owner: { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 },
    isRoot: true,
    sshd: openSshd(argv, runCommand, { fs }),
    service: {
      state: async () => ({ kind: 'running', unit: 'the throwaway sshd' }),
      found: async () => ({ state: { kind: 'unmanaged' } }),
      restarts: () => ({ recent: [], total: 0 }),
      restart: async () => {
        await sshd.restart()
        return 'restarted'
      },
    },
  }
  for (const folder of ['var', 'var/lib', 'run']) {
    await makeOwnFolder(host, { path: join(sshd.root, folder), mode: 0o755 })
  }
  await makeOwnFolder(host, host.layout.stateFolder)
  return host
}
