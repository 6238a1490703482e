import { describeFailure } from '../core/failures.ts'
import { keyChanges } from '../core/key-changes.ts'
import { optional } from '../core/optional.ts'
import type { Outcome } from '../core/outcome.ts'
import { stopped } from '../core/outcomes.ts'
import { planRemove } from '../core/plan.ts'
import { removeFile } from './atomic-write.ts'
import { execute, type OnInstant } from './execute.ts'
import type { Host } from './host.ts'
import { keysOnHost } from './keys-on-host.ts'
import { observe } from './observe.ts'
import { kept } from './provision.ts'
import { readState } from './state.ts'
import { removeTextfile } from './textfile.ts'

/** Takes everything of ours off the host again. The caller sees to its turn (`inTurn`). */
export async function remove(host: Host, onInstant?: OnInstant): Promise<Outcome> {
  const state = readState(host)
  const observation = await observe(host, { restartDue: false })
  if (observation.sshd.kind === 'broken') {
    const message = `sshd refuses its own configuration; mend it first: ${observation.sshd.message}`
    const end = { outcome: 'host-refused', code: 'sshd-config-broken', message } as const
    return stopped(end, kept(host, state))
  }
  const steps = planRemove(observation, host.layout, state.madeFolders)
  const changes = keyChanges(keysOnHost(host), steps, host.layout.caFile.path)
  const forget = () => removeFile(host.fs, host.at(host.layout.stateFile.path))
  const execution = await execute(steps, host, forget, onInstant)
  if (execution.kind !== 'done') {
    return stopped(describeFailure(execution), { ...kept(host, state), steps })
  }
  if (host.sshd !== undefined) host.effective = false
  removeTextfile(host)
  const [outcome, message] =
    steps.length === 0
      ? (['unchanged', 'nothing of ours is on this host'] as const)
      : (['applied', 'this host no longer trusts a Pomerium User CA'] as const)
  return {
    ...stopped({ outcome, message }, { trusted: keysOnHost(host), steps }),
    ...optional('keys', changes),
  }
}
