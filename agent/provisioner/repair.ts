import type { Config } from '../core/config/config.ts'
import { hostRefused, stopped } from '../core/outcome/outcomes.ts'
import type { Turn } from '../core/report/status-record.ts'
import type { Host } from './host/host.ts'
import { kept, provision } from './provision.ts'
import { FRESH_STATE, isDamaged, readState } from './records/state.ts'
import { refuseStoodDown } from './records/stood-down.ts'
import type { OnInstant } from './transaction/execute.ts'

/** Puts the held bundle in force again: drift, or a restart that was put off. Asks no source. */
export async function repair(
  config: Config,
  now: Date,
  host: Host,
  onInstant?: OnInstant,
): Promise<Turn> {
  const down = refuseStoodDown(host)
  if (down !== undefined) return { outcome: down }
  const state = readState(host)
  if (isDamaged(state)) return { outcome: hostRefused(state, kept(host, FRESH_STATE)) }
  if (state.held === undefined) {
    const message = 'no bundle has been accepted on this host yet; run: pomerium-host-agent apply'
    return { outcome: stopped({ outcome: 'unchanged', message }, kept(host, state)) }
  }
  const { bundle, source } = state.held
  return provision({ bundle: Buffer.from(bundle, 'base64'), source, config, now }, host, onInstant)
}
