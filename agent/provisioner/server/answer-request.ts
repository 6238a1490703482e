import type { Config } from '../../core/config/config.ts'
import { showUrl } from '../../core/network/source-url.ts'
import type { Outcome } from '../../core/outcome/outcome.ts'
import type { ProvisionRequest } from '../../core/protocol/provision-protocol.ts'
import { runExclusively } from '../exclusive-run.ts'
import type { Host } from '../host/host.ts'
import { provision } from '../provision.ts'
import { refuseStoodDown } from '../records/stood-down.ts'
import { repair } from '../repair.ts'
import { report } from '../write-report.ts'

/** Does what the daemon asks for, by this host's own config. */
export async function answerRequest(
  request: ProvisionRequest,
  config: Config,
  host: Host,
): Promise<Outcome> {
  if (request.op === 'report') return report(host)
  const now = new Date()
  return runExclusively(host, now, () => {
    if (request.op === 'repair') return repair(config, now, host)
    const down = refuseStoodDown(host)
    if (down !== undefined) return Promise.resolve({ outcome: down })
    const { url } = config.source
    const source = url === undefined ? 'unknown' : showUrl(url)
    return provision({ bundle: request.bundle, source, config, now }, host)
  })
}
