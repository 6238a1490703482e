import { plainText } from '../../../core/basics/plain-text.ts'

/** A unit of ours that does not do its work. */
export interface FailedUnit {
  unit: string
  /** To stand behind its name. */
  why: string
  /** What it, or systemd for it, has said last; empty where nothing is known. */
  said: string
}

const OURS = /^pomerium-host-agent: /
const SYSTEMD = /(: |^)(Failed (?!with result|to start |to listen |at step )|Cannot |Couldn't )/
const STEP = /: Failed at step /

/** The line of a journal that says most: ours, else systemd's own reason. */
export function reasonIn(lines: readonly string[]): string {
  const last = (what: RegExp) => lines.findLast(line => what.test(line))
  const said = last(OURS) ?? last(SYSTEMD) ?? last(STEP) ?? ''
  return plainText(said.replace(/^pomerium-host-agent[^ ]*: /, ''))
}
