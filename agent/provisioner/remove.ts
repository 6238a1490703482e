import type { Outcome } from '../core/outcome.ts'
import { stopped } from '../core/outcomes.ts'
import { planRemove } from '../core/plan.ts'
import { removeFile } from './atomic-write.ts'
import { describeFailure, execute, type OnStep } from './execute.ts'
import type { Host } from './host.ts'
import { observe } from './observe.ts'
import { kept } from './provision.ts'
import { readState } from './state.ts'

/** Takes everything of ours off the host again. The caller holds the lock. */
export async function remove(host: Host, onStep?: OnStep): Promise<Outcome> {
  const state = readState(host)
  const plan = planRemove(await observe(host), host.layout, state.madeFolders)
  if (plan.kind === 'host-refused') {
    const { code, message } = plan
    return stopped({ outcome: 'host-refused', code, message }, kept(host, state))
  }
  const { steps } = plan
  const execution = await execute(steps, host, onStep)
  if (execution.kind !== 'done') {
    return stopped(describeFailure(execution), { ...kept(host, state), steps })
  }
  removeFile(host.fs, host.at(host.layout.stateFile.path))
  return steps.length === 0
    ? stopped({ outcome: 'unchanged', message: 'nothing of ours is on this host' }, { trusted: [] })
    : stopped(
        { outcome: 'applied', message: 'this host no longer trusts a Pomerium User CA' },
        { trusted: [], steps },
      )
}
