import { EXIT } from '../../core/outcome/exit-codes.ts'
import type { Wanted } from '../../publisher/notify/judge.ts'
import { FLEET_FLAGS, openFleet, readTargets } from '../operator/fleet.ts'
import { hostsForPrograms, printHosts } from '../operator/print-hosts.ts'
import { showProgress } from '../operator/progress.ts'
import { printRefusal } from '../operator/refusal.ts'
import { readWanted } from '../operator/wanted.ts'
import { parseFlags } from '../terminal/flags.ts'
import type { Invocation } from '../terminal/invocation.ts'
import { print, printJson } from '../terminal/screen.ts'
import { stopSignal } from '../terminal/stop-signal.ts'

/** Tells hosts that there is something new, and waits until each has it. */
export async function notify(invocation: Invocation): Promise<number> {
  const { values, positionals } = parseFlags({
    args: invocation.args,
    allowPositionals: true,
    options: { ...FLEET_FLAGS, bundle: { type: 'string' }, json: { type: 'boolean' } },
  })
  const json = values.json ?? false
  let wanted: Wanted | undefined
  if (values.bundle !== undefined) {
    const read = readWanted(values.bundle)
    if (read.kind === 'refused') return printRefusal(values.bundle, read, json)
    wanted = read.wanted
  }
  const targets = await readTargets(values.hosts, positionals)
  const signal = stopSignal()
  const fleet = await openFleet(values, targets, invocation, signal)
  const all = new Set(fleet.targets.map(({ name }) => name))
  const progress = showProgress(all)
  const reports = await fleet.tell(all, wanted, progress.update)
  progress.end()
  const converged = reports.every(({ state }) => state === 'converged')
  if (json) printJson({ converged, hosts: hostsForPrograms(reports) })
  else {
    printHosts(reports)
    const done = reports.filter(({ state }) => state === 'converged').length
    print(`\n${done} of ${reports.length} hosts have converged`)
    if (!converged) print('Why another has not, it says itself: sudo pomerium-host-agent status')
  }
  return converged ? EXIT.converged : EXIT.hostsMissing
}
