import { EXIT } from '../../core/outcome/exit-codes.ts'
import type { Wanted } from '../../publisher/notify/judge.ts'
import { commonBundle } from '../../publisher/status/common-bundle.ts'
import { type HostCondition, judgeStatus } from '../../publisher/status/judge-status.ts'
import { FLEET_FLAGS, openFleet, readTargets } from '../operator/fleet.ts'
import { printHosts } from '../operator/print-hosts.ts'
import { showProgress } from '../operator/progress.ts'
import { printRefusal } from '../operator/refusal.ts'
import { readWanted } from '../operator/wanted.ts'
import { copyable, quoted } from '../terminal/copyable.ts'
import { parseFlags } from '../terminal/flags.ts'
import type { Invocation } from '../terminal/invocation.ts'
import { print, printJson } from '../terminal/screen.ts'
import { stopSignal } from '../terminal/stop-signal.ts'

const { timeout: _, ...REACH_FLAGS } = FLEET_FLAGS

/** Says who trusts what and who is late, and tells the hosts nothing. */
export async function status(invocation: Invocation): Promise<number> {
  const { values, positionals } = parseFlags({
    args: invocation.args,
    allowPositionals: true,
    options: { ...REACH_FLAGS, bundle: { type: 'string' }, json: { type: 'boolean' } },
  })
  const json = values.json ?? false
  let asked: Wanted | undefined
  if (values.bundle !== undefined) {
    const read = readWanted(values.bundle)
    if (read.kind === 'refused') return printRefusal(values.bundle, read, json)
    asked = read.wanted
  }
  const targets = await readTargets(values.hosts, positionals)
  const fleet = await openFleet(values, targets, invocation, stopSignal())
  const progress = showProgress(targets.map(({ name }) => name))
  const answers = await fleet.ask(({ host, reply }) =>
    progress.update({ host, state: reply.kind === 'outcome' ? 'converged' : 'failed' }),
  )
  progress.end()
  const told = answers.flatMap(({ reply }) => (reply.kind === 'outcome' ? [reply.outcome] : []))
  const wanted = asked ?? commonBundle(told)
  const now = new Date()
  const hosts = answers.map(({ host, reply }) => judgeStatus(host, reply, wanted, now))
  const converged = hosts.every(({ state }) => state === 'converged')
  if (json) printJson({ converged, wanted: forPrograms(wanted), hosts })
  else {
    printHosts(hosts)
    print(`\n${sentence(hosts, wanted, asked !== undefined)}`)
    for (const line of next(hosts, invocation.args)) print(line)
  }
  return converged ? EXIT.converged : EXIT.hostsMissing
}

const forPrograms = (wanted: Wanted | undefined) =>
  wanted && { fingerprints: wanted.fingerprints, serial: wanted.serial }

function sentence(hosts: readonly HostCondition[], wanted: Wanted | undefined, isAsked: boolean) {
  const done = hosts.filter(({ state }) => state === 'converged').length
  const what =
    wanted?.serial === undefined
      ? isAsked
        ? 'this bundle'
        : 'the same keys'
      : `serial ${wanted.serial}${isAsked ? '' : ', the newest among them'}`
  return `${done} of ${hosts.length} hosts are well and trust ${what}`
}

/** What to type next: to tell the hosts, which takes the same flags. */
function next(hosts: readonly HostCondition[], args: readonly string[]): string[] {
  const isLate = hosts.some(({ state }) => state === 'late' || state === 'differs')
  if (!isLate) return []
  const words: string[] = []
  for (const [at, arg] of args.entries()) {
    // All flags here have a value, beside or behind them.
    const isValue = /^--[^=]+$/.test(args[at - 1] ?? '')
    words.push(isValue ? `${words.pop()} ${quoted(arg)}` : quoted(arg))
  }
  const call = 'pomerium-host-agent bundle notify'
  return ['To have them look at the source now:', ...copyable(call, words)]
}
