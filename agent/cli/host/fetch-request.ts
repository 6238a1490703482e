import type { Config } from '../../core/config/config.ts'
import { showUrl } from '../../core/network/source-url.ts'
import type { FetchAnswer } from '../../core/protocol/fetch-protocol.ts'
import { fetchUnprivileged } from '../../provisioner/fetch/fetch-unprivileged.ts'
import type { Host } from '../../provisioner/host/host.ts'
import type { Request } from '../../provisioner/provision.ts'
import type { HostFlags } from '../terminal/flags.ts'
import type { Invocation } from '../terminal/invocation.ts'
import { withSourceUrl } from './load-config.ts'

/** A request for the provisioner, or the fetch that gave nothing to ask for. */
export type Obtained =
  | { kind: 'request'; request: Request }
  | Exclude<FetchAnswer, { kind: 'bundle' }>

/** Fetches the bundle behind the wall and makes the request that `apply` and `plan` share. */
export async function obtain(
  config: Config,
  host: Host,
  flags: HostFlags,
  { environment, self }: Invocation,
): Promise<Obtained> {
  const source = withSourceUrl(config, flags)
  const fetched = await fetchUnprivileged(source, host, {
    argv: [...self, 'fetch'],
    environment,
    onStderr: line => process.stderr.write(`fetch: ${line}\n`),
  })
  if (fetched.kind !== 'bundle') return fetched
  const request = {
    bundle: fetched.bytes,
    source: showUrl(source.url),
    config,
    now: new Date(),
    byHand: true,
  }
  return { kind: 'request', request }
}
