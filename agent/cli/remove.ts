import { EXIT } from '../core/outcome/exit-codes.ts'
import { exitCodeOf } from '../core/outcome/outcome-rows.ts'
import { runExclusively } from '../provisioner/exclusive-run.ts'
import { NO_SERVICES, readStoodDown, type Services } from '../provisioner/records/stood-down.ts'
import { remove as removeFromHost } from '../provisioner/remove.ts'
import { findServices, pauseServices } from '../provisioner/setup/pause-services.ts'
import { onHost } from './host/open-command-host.ts'
import { withSetup } from './host/with-setup.ts'
import type { Invocation } from './terminal/invocation.ts'
import { printOutcome } from './terminal/print-outcome.ts'
import { print } from './terminal/screen.ts'

/** Makes this host what it was before the first `apply`, and has it stay so until the next. */
export async function remove(invocation: Invocation): Promise<number> {
  const { flags, host } = await onHost(invocation, { asRoot: 'remove', leaving: true })
  const now = new Date()
  const services = host.tree ? NO_SERVICES : await findServices()
  const outcome = await runExclusively(host, now, () =>
    removeFromHost(host, undefined, { now, services }),
  )
  printOutcome(outcome, flags.json)
  const code = exitCodeOf(outcome)
  // What was changed back on the way, or refused, leaves the agent at its work.
  if (readStoodDown(host) === undefined) return code
  const paused = await withSetup(() => pauseServices(services))
  if (!paused) return code || EXIT.hostRefused
  if (!flags.json) print(describePaused(services))
  return code
}

function describePaused({ enabled, started }: Services): string {
  const names = [...new Set([...enabled, ...started])]
  const stopped = names.length === 0 ? '' : `; stopped and disabled:\n  ${names.join('\n  ')}`
  return `the agent stands down until apply or configure${stopped}`
}
