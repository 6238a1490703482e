// Packages of the program under test, and a booted host to try them on, with a control plane beside it.

import { readFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { VERSION } from '../../../installer/build.ts'
import type { Packable } from '../../../installer/package/layout.ts'
import { type Ca, makeCa } from '../../sshd/ssh-ca.ts'
import { tempDir } from '../../sshd/temp-dir.ts'
import type { HostOptions } from '../harness/host.ts'
import { login } from '../harness/login.ts'
import { type BareHost, bootBareHost, SOURCE } from './bare-host.ts'
import { layProgram } from './release-kit.ts'

/** What a package says where it has no source yet. */
export const NEXT_STEP = 'configure --set source.url='
export const NEWER = '99.0.0'

export interface PackageKit extends AsyncDisposable {
  /** Paths of the package of the version under test, and of a newer one. */
  usual: string
  newer: string
  ca: Ca
}

export async function packageKit(
  pack: (packable: Packable, folder: string) => Promise<string>,
): Promise<PackageKit> {
  const folder = await tempDir()
  const ca = await makeCa()
  const make = async (version: string) => {
    const program = join(folder.path, `program-${version}`)
    await layProgram(program, version)
    return pack({ program, version, architecture: 'x64', time: 1_790_000_000 }, folder.path)
  }
  return {
    usual: await make(VERSION),
    newer: await make(NEWER),
    ca,
    async [Symbol.asyncDispose]() {
      await folder[Symbol.asyncDispose]()
      await ca[Symbol.asyncDispose]()
    },
  }
}

export interface PackageHost extends BareHost {
  /** Runs a package tool to its end, whatever its exit code; both its outputs are in stdout. */
  tool(command: string, env?: Record<string, string>): Promise<{ code: number; stdout: string }>
  /** What an operator types after an install without a source. */
  configure(): Promise<void>
  accepted(): Promise<boolean>
  /** Logs in over and over while `it` goes on; whether each was accepted. */
  acceptedDuring(it: Promise<unknown>): Promise<boolean[]>
  /** What systemd knows of ours. */
  units(): Promise<string>
}

/** Boots a host with both packages in /root and nothing of ours installed. */
export async function bootPackageHost(kit: PackageKit, options: HostOptions): Promise<PackageHost> {
  const bare = await bootBareHost(options)
  const { host } = bare
  await bare.publish(kit.ca.publicKey)
  for (const file of [kit.usual, kit.newer]) {
    await host.write(`/root/${basename(file)}`, await readFile(file))
  }
  const accepted = async () => (await login(host, { ca: kit.ca })).outcome === 'accepted'
  return {
    ...bare,
    tool: (command, env = {}) =>
      host.exec(['sh', '-c', `cd /root; ${command} 2>&1`], {
        allowFail: true,
        timeoutMs: 120_000,
        env: { DEBIAN_FRONTEND: 'noninteractive', ...env },
      }),
    async configure() {
      const [, url, , roots] = SOURCE
      const settings = ['--set', `source.url=${url}`, '--copy', `source.ca_file=${roots}`]
      await host.exec(['pomerium-host-agent', 'configure', ...settings])
      await host.exec('pomerium-host-agent apply')
    },
    accepted,
    async acceptedDuring(it) {
      let going = true
      const end = it.finally(() => {
        going = false
      })
      const all: boolean[] = []
      while (going) all.push(await accepted())
      await end
      return all
    },
    units: async () =>
      (await host.exec('systemctl list-units "pomerium*" --all --no-legend')).stdout,
  }
}
