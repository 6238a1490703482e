// A booted host whose sshd is asked and restarted by the agent's own adapters, in every state of systemd.

import { afterAll, beforeAll, beforeEach, describe } from 'vitest'
import { findService } from '../../../agent/provisioner/init/find-service.ts'
import type { SshService } from '../../../agent/provisioner/sshd/ssh-service.ts'
import { describeTier } from '../../sshd/describe-tier.ts'
import { machineTier } from '../harness/available.ts'
import { type Suite, suites } from '../harness/base.ts'
import type { ExecResult, Running } from '../harness/exec.ts'
import { bootHost, type Host } from '../harness/host.ts'
import { serviceHost } from './service-host.ts'

/** Where a test changes sshd's unit; taken away before the next one. */
export const DROP_IN = '/etc/systemd/system/ssh.service.d/test.conf'

export interface UnderSystemd {
  readonly suite: Suite
  readonly host: Host
  readonly service: SshService
  /** Every command of `service` since the test began. */
  readonly ran: string[]
  sh(line: string): Promise<ExecResult>
  mainPid(): Promise<number | undefined>
  listens(): Promise<boolean>
  /** Has Node run a script in the host's network; killed before the next test. */
  outside(script: string): Running
}

// As the package left it, whatever the test before did, and wherever it stopped.
const AS_INSTALLED = `
  systemctl disable --now ssh.socket; systemctl disable --now openssh.service
  systemctl stop ssh sshd; pkill -KILL -x sshd
  rm -rf ${DROP_IN} /etc/systemd/system/sshd.service /etc/systemd/system/openssh.service \\
    /etc/systemd/system/ssh.socket.d /etc/ssh/sshd_not_to_be_run /etc/ssh/sshd_config.d/* /etc/default/ssh
  systemctl unmask ssh.service; systemctl daemon-reload
  systemctl reset-failed; systemctl enable --now ssh.service`

/** The same tests on each suite, each test on an sshd as the package left it. */
export function describeUnderSystemd(what: string, tests: (on: UnderSystemd) => void): void {
  describeTier(`sshd under systemd: ${what}`, machineTier(), () => {
    describe.each(suites)('%s', suite => {
      let host: Host
      let ran: string[]
      let service: SshService
      const outsiders = new Set<Running>()
      const sh = (line: string) => host.exec(line, { allowFail: true })

      beforeAll(async () => {
        host = await bootHost({ suite })
      })
      afterAll(() => host?.stop())
      beforeEach(async () => {
        for (const outsider of outsiders) outsider.kill()
        outsiders.clear()
        await sh(AS_INSTALLED)
        ran = []
        service = findService(serviceHost(host, ran))
      })
      tests({
        suite,
        get host() {
          return host
        },
        get service() {
          return service
        },
        get ran() {
          return ran
        },
        sh,
        async mainPid() {
          const state = await service.state()
          return state.kind === 'running' ? state.mainPid : undefined
        },
        listens: async () => (await sh('ss -Hltn sport = :22')).stdout !== '',
        outside(script) {
          const outsider = host.inNetwork([process.execPath, '-e', script])
          outsiders.add(outsider)
          return outsider
        },
      })
    })
  })
}
