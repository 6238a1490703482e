import type { Host } from '../harness/host.ts'

/** When systemd has begun to start sshd in this boot, in ms since the epoch; the boot's own aside. */
export async function sshdStarts(host: Pick<Host, 'exec'>): Promise<number[]> {
  // What a busy journald has not written yet has happened too.
  const show = 'journalctl --sync; journalctl --boot --unit=ssh.service --output=json --no-pager'
  const { stdout } = await host.exec(show)
  const entries = stdout.split('\n').filter(Boolean)
  const starts = entries
    .map(line => JSON.parse(line) as { MESSAGE: string; __REALTIME_TIMESTAMP: string })
    .filter(({ MESSAGE }) => /^Starting /.test(MESSAGE))
  return starts.slice(1).map(entry => Number(entry.__REALTIME_TIMESTAMP) / 1000)
}
