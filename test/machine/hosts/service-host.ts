// The service adapters of the agent, run from outside on a booted host.

import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseEffectiveConfig } from '../../../agent/core/sshd-config/effective-config.ts'
import type { ServiceHost } from '../../../agent/provisioner/init/init.ts'
import { openProcessTable } from '../../../agent/provisioner/processes/process-table.ts'
import type { Run } from '../../../agent/provisioner/processes/run-command.ts'
import { configuredPorts } from '../../../agent/provisioner/sshd/listening.ts'
import type { Host } from '../harness/host.ts'

/** Every command that was run is appended to `ran`. */
export function serviceHost(host: Host, ran: string[] = []): ServiceHost {
  const run: Run = (argv, { timeoutMs = 30_000 } = {}) => {
    ran.push(argv.join(' '))
    return host.exec(argv, { allowFail: true, timeoutMs }).catch(error => {
      if (!/timed out/.test(error.message)) throw error
      return { code: 124, stdout: '', stderr: `${argv[0]} did not end in time` }
    })
  }
  return {
    run,
    processes: openProcessTable(join(host.root, 'proc')),
    clock: { now: Date.now, sleep },
    exists: path => existsSync(host.path(path)),
    ports: async () => {
      const { stdout } = await run(['sh', '-c', 'mkdir -p /run/sshd; exec /usr/sbin/sshd -T'])
      return configuredPorts(parseEffectiveConfig(stdout))
    },
  }
}
