import type { Run } from '../../processes/run-command.ts'
import type { Clock } from '../../sshd/ssh-service.ts'

// What systemd says of every start, and of the automatic restarts that follow a failed one.
const ROUTINE =
  /^(Start(ing|ed) |Stopp(ing|ed) |Failed to start |Server listening |Received signal )|Deactivated successfully|: Succeeded\.|Scheduled restart job|Start request repeated|Found left-over process|This usually indicates|remains running after|Consumed .* CPU time/

// What sessions say, which outlive the restart in the same unit.
const SESSIONS =
  /^(Connection |Accepted |Disconnected |Disconnecting |Received disconnect |Invalid user |Failed (password|publickey) |User |pam_|error: kex_|Close session|drop connection)/

const LOOKS = 3
const LOOK_AGAIN_MS = 100

/**
 * Why a unit did not start, for people: what it has written to the journal since `sinceMs`, and what
 * systemctl says. journald lags behind: the program's own words may come after systemd's.
 * A journal that can't be read takes nothing away but words.
 */
export async function failureWords(
  { run, clock }: { run: Run; clock: Clock },
  unit: string,
  sinceMs: number,
  stderr: string,
): Promise<string> {
  let lines: string[] = []
  for (let look = 1; look <= LOOKS; look++) {
    lines = await journalOf(run, unit, sinceMs)
    if (lines.some(line => !line.startsWith(`${unit}:`))) break
    if (look < LOOKS) await clock.sleep(LOOK_AGAIN_MS)
  }
  const [said = ''] = stderr.trim().split('\n')
  return [...lines.slice(-5), said].filter(text => text !== '').join('; ') || 'without a word'
}

async function journalOf(run: Run, unit: string, sinceMs: number): Promise<string[]> {
  const since = `--since=@${Math.floor(sinceMs / 1000)}`
  const show = ['journalctl', `--unit=${unit}`, since, '--output=cat', '--no-pager', '--lines=500']
  const { code, stdout } = await run(show)
  const lines = code === 0 ? stdout.split('\n').map(line => line.trim()) : []
  return [...new Set(lines.filter(line => line && !ROUTINE.test(line) && !SESSIONS.test(line)))]
}
