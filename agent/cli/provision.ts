import { join } from 'node:path'
import { layoutOf } from '../core/layout.ts'
import type { ProvisionRequest } from '../core/messages.ts'
import type { Outcome } from '../core/outcome.ts'
import { showUrl } from '../core/source-url.ts'
import { realFileSystem } from '../provisioner/file-system.ts'
import { inTurn } from '../provisioner/in-turn.ts'
import { provision as provisionHost } from '../provisioner/provision.ts'
import { repair } from '../provisioner/repair.ts'
import { serveRequests } from '../provisioner/server/serve-requests.ts'
import { unsafeSocket } from '../provisioner/server/socket-access.ts'
import { parseHostFlags } from './flags.ts'
import { type Invocation, UsageError } from './invocation.ts'
import { listenDescriptor } from './listen-descriptor.ts'
import { loadConfig } from './load-config.ts'
import { onHost, requireRoot } from './on-host.ts'

const IDLE_MS = 60_000
const REQUEST_MS = 10_000

/** The root wing as a process of its own: serves the daemon's requests, leaves when there are none. */
export async function provision(invocation: Invocation): Promise<number> {
  const flags = parseHostFlags(invocation.args)
  const config = loadConfig(flags, invocation)
  requireRoot(invocation, 'provision')
  // The host itself is opened by each request; here it would only be in the way of the first one.
  const path = join(flags.root, layoutOf(config.sshd).socket.path)
  const fd = listenDescriptor(invocation.environment, process.pid)
  if (fd === undefined) {
    throw new UsageError(`provision is started by systemd, which listens on ${path} for it`)
  }
  const unsafe = unsafeSocket(realFileSystem, path, 0)
  if (unsafe !== undefined) throw new UsageError(unsafe)
  await serveRequests({
    listen: { fd },
    handle: request => handle(request, invocation),
    idleMs: IDLE_MS,
    requestMs: REQUEST_MS,
  })
  return 0
}

// The config and the host are read anew for each request: either may have changed while we slept.
async function handle(request: ProvisionRequest, invocation: Invocation): Promise<Outcome> {
  const { config, host } = await onHost(invocation)
  const now = new Date()
  return inTurn(host, now, () => {
    if (request.op === 'repair') return repair(config, now, host)
    const { url } = config.source
    const source = url === undefined ? 'unknown' : showUrl(url)
    return provisionHost({ bundle: request.bundle, source, config, now }, host)
  })
}
