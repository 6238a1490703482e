// The provisioner, run on a booted host by a test: one job, given as JSON in the first argument.
// It may kill itself by SIGKILL at one of its instants; else it prints them, and the outcome.

import { readFileSync } from 'node:fs'
import { DEFAULT_CONFIG_FILE } from '../../../agent/core/config/config.ts'
import { parseConfig } from '../../../agent/core/config/parse-config.ts'
import type { Outcome } from '../../../agent/core/outcome/outcome.ts'
import { runExclusively } from '../../../agent/provisioner/exclusive-run.ts'
import { openHost } from '../../../agent/provisioner/open-host.ts'
import { provision } from '../../../agent/provisioner/provision.ts'
import { remove } from '../../../agent/provisioner/remove.ts'
import { repair } from '../../../agent/provisioner/repair.ts'

export type Job = { killAt?: number } & (
  | { op: 'provision'; bundle: string }
  | { op: 'remove' | 'repair' }
  /** Bundles in turn, so many times, as fast as they go. */
  | { op: 'storm'; bundles: string[]; times: number }
)

export interface JobReport {
  instants: string[]
  outcomes: Outcome[]
}

const job = JSON.parse(process.argv[2] ?? '') as Job
const report: JobReport = { instants: [], outcomes: [] }

function onInstant(name: string): void {
  if (report.instants.length === job.killAt) process.kill(process.pid, 'SIGKILL')
  report.instants.push(name)
}

async function run(work: Exclude<Job, { op: 'storm' }>): Promise<Outcome> {
  const text = readFileSync(DEFAULT_CONFIG_FILE, 'utf8')
  const parsed = parseConfig({ name: DEFAULT_CONFIG_FILE, text }, {})
  if ('errors' in parsed) throw new Error(JSON.stringify(parsed.errors))
  const { config } = parsed
  // As for each request that the provisioner serves.
  const host = await openHost(
    config.sshd,
    '/',
    command => ['/usr/local/bin/pomerium-host-agent', command],
    { isRoot: true },
  )
  const now = new Date()
  return runExclusively(host, now, () => {
    switch (work.op) {
      case 'remove':
        return remove(host, onInstant)
      case 'repair':
        return repair(config, now, host, onInstant)
      case 'provision': {
        const bundle = Buffer.from(work.bundle)
        return provision({ bundle, source: 'test', config, now }, host, onInstant)
      }
    }
  })
}

if (job.op === 'storm') {
  for (let at = 0; at < job.times; at++) {
    const bundle = job.bundles[at % job.bundles.length] ?? ''
    const { outcome, code, message, service } = await run({ op: 'provision', bundle })
    const short = { outcome, message, steps: [], trusted: [] }
    report.outcomes.push({ ...short, ...(code && { code }), ...(service && { service }) })
  }
} else {
  report.outcomes.push(await run(job))
}
process.stdout.write(JSON.stringify(report))
