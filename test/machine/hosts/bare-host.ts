// A booted host with nothing of ours on it, a control plane beside it, and a web server with a release.

import { mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { placeFile } from '../../../agent/publisher/place-file.ts'
import type { ExecResult, Running } from '../harness/exec.ts'
import { bootHost, type Host, type HostOptions } from '../harness/host.ts'
import { RELEASE_URL } from './release-kit.ts'

const SERVE_BUNDLE = join(import.meta.dirname, '../../control-plane/serve.ts')
const SERVE_FOLDER = join(import.meta.dirname, '../programs/serve-folder.ts')
const ROOTS = '/root/control-plane-ca.pem'

function sourceAt(name: string): string[] {
  return ['--source-url', `https://${name}:8443/bundle`, '--source-ca-file', ROOTS]
}

/** The flags that every install needs here. */
export const SOURCE = sourceAt('localhost')
/** A name of the control plane that nobody here resolves; a proxy may. */
export const BEHIND_PROXY = sourceAt('ssh-ca.example')

export interface BareHost extends AsyncDisposable {
  host: Host
  publish(...lines: string[]): Promise<void>
  /** A loss of power takes it too. */
  startSource(): Promise<void>
  stopSource(): Promise<void>
  /** The web server with the release; as the source. */
  startDownloads(): Promise<void>
  /** What lies on the web server from now on. */
  offer(release: string): Promise<void>
  /** The one line, as an operator types it. */
  install(flags?: readonly string[], env?: Record<string, string>): Promise<ExecResult>
}

export async function bootBareHost(options: HostOptions): Promise<BareHost> {
  const outside = await mkdtemp(join(tmpdir(), 'bare-host-'))
  const file = (name: string) => join(outside, name)
  await writeFile(file('bundle'), '')
  const host = await bootHost(options)
  const tls = ['--tls-dir', file('tls'), '--tls-hosts', 'localhost,127.0.0.1,ssh-ca.example']
  const serve = ['--port', '8443', '--bundle-file', file('bundle'), ...tls]
  const listens = (port: number) =>
    host.waitFor(
      `a server on ${port}`,
      async () => (await host.exec(`ss -Hltn sport = :${port}`)).stdout !== '',
      60_000,
    )
  let source: Running | undefined
  const startSource = async () => {
    source = host.inNetwork([process.execPath, SERVE_BUNDLE, ...serve])
    await listens(8443)
  }
  const startDownloads = async () => {
    host.inNetwork([process.execPath, SERVE_FOLDER, file('release'), '8080'])
    await listens(8080)
  }
  await Promise.all([startSource(), startDownloads()])
  await host.write(ROOTS, await readFile(file('tls/ca.pem')))
  return {
    host,
    // Whole, whoever reads it meanwhile.
    publish: async (...lines) => placeFile(file('bundle'), lines.map(line => `${line}\n`).join('')),
    startSource,
    startDownloads,
    async stopSource() {
      source?.kill()
      await source?.done
    },
    async offer(release) {
      await rm(file('release'), { force: true })
      await symlink(release, file('release'))
    },
    install: (flags = SOURCE, env = {}) =>
      host.exec(
        ['sh', '-c', `curl -fsSL ${RELEASE_URL}/install.sh | sh -s -- "$@"`, 'sh', ...flags],
        {
          allowFail: true,
          env,
          timeoutMs: 600_000,
        },
      ),
    async [Symbol.asyncDispose]() {
      await host.stop()
      await rm(outside, { recursive: true, force: true })
    },
  }
}
