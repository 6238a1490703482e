// A booted host with the program on it, and a control plane of its own.

import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { inject } from 'vitest'
import type { Outcome } from '../../../agent/core/outcome/outcome.ts'
import { placeFile } from '../../../agent/publisher/place-file.ts'
import type { Behaviour } from '../../control-plane/behaviour.ts'
import type { ExecResult } from '../harness/exec.ts'
import { bootHost, type Host, type HostOptions } from '../harness/host.ts'

export const CA_FILE = '/var/lib/pomerium/pomerium_user_ca_key.pub'
export const REVOKED = '/var/lib/pomerium/pomerium_revoked_user_ca_keys'
export const DROP_IN = '/etc/ssh/sshd_config.d/pomerium-ca.conf'
const SERVE = join(import.meta.dirname, '../../control-plane/serve.ts')
const URL_ON_HOST = 'https://localhost:8443/bundle'
const ROOTS = '/etc/pomerium/control-plane-ca.pem'

export interface AgentHost extends AsyncDisposable {
  host: Host
  /** What the control plane serves from now on. */
  publish(...lines: string[]): Promise<void>
  publishBytes(bytes: Uint8Array): Promise<void>
  behave(behaviour: Behaviour): Promise<void>
  /** How many requests the control plane has had so far; 0 while it is stopped. */
  asked(): Promise<number>
  stopControlPlane(): Promise<void>
  startControlPlane(): Promise<void>
  /** Runs the program to its end, whatever its exit code. */
  agent(...args: string[]): Promise<ExecResult>
  /** `apply --json`, with its exit code. */
  apply(): Promise<{ code: number; outcome: Outcome; stderr: string }>
  /** What must not change where nothing is to be done: inode and time of every file, sshd's start. */
  fingerprint(): Promise<object>
  stop(): Promise<void>
}

/** Boots a host whose config names an https source with a certificate of a test CA. */
export async function bootAgentHost(
  options: HostOptions & { config?: string; productLayer?: string },
): Promise<AgentHost> {
  const outside = await mkdtemp(join(tmpdir(), 'control-plane-'))
  const file = (name: string) => join(outside, name)
  await writeFile(file('bundle'), '')
  const config = `source:\n  url: ${URL_ON_HOST}\n  ca_file: ${ROOTS}\n${options.config ?? ''}`
  const host = await bootHost({
    ...options,
    layers: [...(options.layers ?? []), options.productLayer ?? inject('productLayer')],
    prepare: async files => {
      await files.write('/etc/pomerium/host-agent.yaml', config, { mode: 0o640 })
      await options.prepare?.(files)
    },
  })
  let plane: ReturnType<Host['inNetwork']> | undefined
  let said: AsyncIterator<string> | undefined
  const startControlPlane = async () => {
    const flags = ['--port', '8443', '--bundle-file', file('bundle'), '--mode-file', file('mode')]
    plane = host.inNetwork([process.execPath, SERVE, ...flags, '--tls-dir', file('tls')])
    said = createInterface({ input: plane.stdout })[Symbol.asyncIterator]()
    const { value } = await said.next()
    if (!value?.startsWith('listening')) throw new Error('the control plane did not start')
    await host.write(ROOTS, await readFile(file('tls/ca.pem')))
  }
  const agent = (...args: string[]) =>
    host.exec(['pomerium-host-agent', ...args], { allowFail: true })
  const stop = async () => {
    await host.stop()
    await rm(outside, { recursive: true, force: true })
  }
  await startControlPlane()
  return {
    host,
    // Whole, whoever reads it meanwhile.
    publishBytes: async bytes => placeFile(file('bundle'), bytes),
    publish: async (...lines) => placeFile(file('bundle'), lines.map(line => `${line}\n`).join('')),
    behave: behaviour => writeFile(file('mode'), JSON.stringify(behaviour)),
    startControlPlane,
    async asked() {
      plane?.stdin.write('{"requests":true}\n')
      for (;;) {
        const { value, done } = (await said?.next()) ?? { done: true }
        if (done) return 0
        if (value.startsWith('{"requests"')) return JSON.parse(value).requests.length
      }
    },
    async stopControlPlane() {
      plane?.kill()
      await plane?.done.catch(() => {})
    },
    agent,
    async apply() {
      const { code, stdout, stderr } = await agent('apply', '--json')
      if (stdout === '') throw new Error(`apply printed no outcome: ${stderr}`)
      return { code, outcome: JSON.parse(stdout) as Outcome, stderr }
    },
    async fingerprint() {
      const places = [CA_FILE, DROP_IN, '/etc/ssh/sshd_config.d', '/var/lib/pomerium']
      const own = '/var/lib/pomerium-host-agent/state.json'
      const files = await Promise.all([...places, own].map(path => host.stat(path)))
      const names = ['ActiveEnterTimestampMonotonic', 'MainPID'] as const
      return { files, unit: await host.unitProperties('ssh.service', names) }
    },
    stop,
    [Symbol.asyncDispose]: stop,
  }
}
