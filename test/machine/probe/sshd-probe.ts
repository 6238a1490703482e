// Asks a host's sshd for its banner, many times a second, to measure how long nobody could log in.

import { join } from 'node:path'
import type { Host } from '../harness/host.ts'
import type { ProbeReport } from './sshd-probe-process.ts'

/** What a restart looks like from outside: a closed port, a connection closed unasked, an sshd with much to do. */
export const REASONS_OF_A_RESTART: ReadonlySet<string> = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'closed before the banner',
  'Exceeded MaxStartups',
])

export interface SshdProbe {
  /** Stops asking, and returns what was seen from the first question to the last. */
  stop(): Promise<ProbeReport>
}

/** Starts asking port 22 for its banner `hz` times a second; returns after the first answer. */
export async function sshdProbe(host: Host, hz = 10, port = 22): Promise<SshdProbe> {
  const script = join(import.meta.dirname, 'sshd-probe-process.ts')
  const child = host.inNetwork([process.execPath, script, String(hz), String(port)])
  await new Promise<void>((resolve, reject) => {
    child.stdout.once('data', () => resolve())
    child.done.then(({ stderr }) => reject(new Error(`the probe did not start: ${stderr}`)), reject)
  })
  return {
    async stop() {
      child.stdin.end()
      const { stdout, stderr } = await child.done
      const report = stdout.split('\n').at(-1)
      if (!report?.startsWith('{')) throw new Error(`the probe broke: ${stderr}`)
      return JSON.parse(report)
    },
  }
}
