import { runDaemon } from '../daemon/run.ts'
import { loadConfig, withSourceUrl } from './host/load-config.ts'
import { pacedService } from './host/paced-service.ts'
import { parseHostFlags } from './terminal/flags.ts'
import { type Invocation, UsageError } from './terminal/invocation.ts'
import { logEnd, openLog } from './terminal/log.ts'
import { stopSignal } from './terminal/stop-signal.ts'

/**
 * The network wing. Under systemd the timer starts it for one look, and the webhook's socket starts it with
 * `--webhook`; both leave when they have done. `--resident` is the same that stays, and does both, with a
 * clock and a watch of its own.
 */
export async function run(invocation: Invocation): Promise<number> {
  return pacedService(invocation, async () => {
    const { as, rest } = ownFlags(invocation.args)
    const flags = parseHostFlags(rest)
    const loaded = loadConfig(flags, invocation)
    const { environment, version } = invocation
    const log = await openLog()
    return runDaemon(as, {
      config: { ...loaded, source: withSourceUrl(loaded, flags) },
      ...{ environment, version, log },
      onEnd: (end, hint) => logEnd(log, end, hint),
      signal: stopSignal(),
    })
  })
}

function ownFlags(args: string[]) {
  const OWN = ['--resident', '--webhook']
  const rest = args.filter(arg => !OWN.includes(arg))
  const [resident, webhook] = OWN.map(flag => args.includes(flag))
  if (resident && webhook) throw new UsageError('--resident hears the webhook already')
  return { as: resident ? 'resident' : webhook ? 'webhook' : 'poll', rest } as const
}
