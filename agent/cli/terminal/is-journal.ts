import { fstatSync } from 'node:fs'
import type { Invocation } from './invocation.ts'

/**
 * Whether a descriptor leads to the journal: systemd says by device and inode which one does, for what a
 * service starts may have put another in its place (systemd.exec(5), "$JOURNAL_STREAM").
 */
export function isJournal(fd: number, environment: Invocation['environment']): boolean {
  const stream = environment.JOURNAL_STREAM
  if (stream === undefined) return false
  const { dev, ino } = fstatSync(fd, { bigint: true })
  return stream === `${dev}:${ino}`
}
