import type { Outcome } from '../core/outcome/outcome.ts'
import { stopped, warned } from '../core/outcome/outcomes.ts'
import { lockHost } from './exclusive-run.ts'
import type { Host } from './host/host.ts'
import { trustOnHost } from './records/keys-on-host.ts'
import { writeTextfile } from './records/textfile.ts'

/** Tells Prometheus anew, after a poll that had nothing for this wing. Touches nothing else. */
export async function report(host: Host): Promise<Outcome> {
  // A turn of another process writes it too, under the same temporary name.
  const lock = await lockHost(host)
  if ('outcome' in lock) return lock
  using _ = lock
  const told = stopped(
    { outcome: 'unchanged', message: 'metrics.textfile is written' },
    trustOnHost(host),
  )
  return warned(told, await writeTextfile(host))
}
