import { EXIT } from '../core/outcome/exit-codes.ts'
import { exitCodeOf } from '../core/outcome/outcome-rows.ts'
import { refused, stopped } from '../core/outcome/outcomes.ts'
import type { Turn } from '../core/report/status-record.ts'
import { runExclusively } from '../provisioner/exclusive-run.ts'
import type { Host } from '../provisioner/host/host.ts'
import { kept, provision } from '../provisioner/provision.ts'
import { stateOrFresh } from '../provisioner/records/state.ts'
import { clearStoodDown, readStoodDown } from '../provisioner/records/stood-down.ts'
import { resumeServices } from '../provisioner/setup/pause-services.ts'
import { type Obtained, obtain } from './host/fetch-request.ts'
import { onHost } from './host/open-command-host.ts'
import { withSetup } from './host/with-setup.ts'
import type { Invocation } from './terminal/invocation.ts'
import { printOutcome } from './terminal/print-outcome.ts'
import { print } from './terminal/screen.ts'

/** Makes this host trust what the source publishes, and follow it again where it stood down. */
export async function apply(invocation: Invocation): Promise<number> {
  const { flags, config, host } = await onHost(invocation, { asRoot: 'apply' })
  const obtained = await obtain(config, host, flags, invocation)
  const gave = obtained.kind === 'request'
  const outcome = await runExclusively(host, new Date(), () => conclude(obtained, host), { gave })
  printOutcome(outcome, flags.json)
  const code = exitCodeOf(outcome)
  return code === EXIT.converged ? standUp(host, flags.json) : code
}

async function conclude(obtained: Obtained, host: Host): Promise<Turn> {
  if (obtained.kind === 'request') return provision(obtained.request, host)
  const left = kept(host, stateOrFresh(host))
  if (obtained.kind === 'refused') return { outcome: refused(obtained, left) }
  const { code, message } = obtained
  return { outcome: stopped({ outcome: 'source-unavailable', code, message }, left) }
}

// The note goes last: cut off before, the next apply does it again.
async function standUp(host: Host, json: boolean): Promise<number> {
  const note = readStoodDown(host)
  if (note === undefined) return EXIT.converged
  if (note === 'unreadable') {
    const { path } = host.layout.stoodDown
    process.stderr.write(
      `pomerium-host-agent: ${path} is damaged, which has the services that remove stopped; run: sudo pomerium-host-agent configure\n`,
    )
    return EXIT.hostRefused
  }
  if (!host.tree && !(await withSetup(() => resumeServices(note)))) return EXIT.hostRefused
  clearStoodDown(host)
  if (!json && note.started.length > 0) print(`started again:\n  ${note.started.join('\n  ')}`)
  return EXIT.converged
}
