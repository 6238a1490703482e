import { findInitHere } from '../init/find-init.ts'
import { type Run, runCommand } from '../processes/run-command.ts'
import { NO_SERVICES, type Services } from '../records/stood-down.ts'

const run: Run = argv => runCommand(argv, { timeoutMs: 180_000 })

/** What of ours init starts at boot, and what is up; nothing where no init that we know is here. */
export async function findServices(): Promise<Services> {
  const { ours } = servicesHere()
  return (await ours?.find(run)) ?? NO_SERVICES
}

/** Stops them, and keeps boot from starting them; the units and scripts stay. */
export async function pauseServices(services: Services): Promise<void> {
  const { ours, running } = servicesHere()
  await ours?.pause(services, { run, running })
}

/** Has boot start them as before, and starts them. */
export async function resumeServices(services: Services): Promise<void> {
  const { ours, running } = servicesHere()
  await ours?.resume(services, { run, running })
}

function servicesHere() {
  const { init, running } = findInitHere()
  return { ours: init?.ourServices, running }
}
