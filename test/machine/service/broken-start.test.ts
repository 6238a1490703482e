import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { describeTier } from '../../sshd/describe-tier.ts'
import { type Ca, makeCa } from '../../sshd/ssh-ca.ts'
import { machineTier } from '../harness/available.ts'
import { suitesFor } from '../harness/share.ts'
import { bootWebhookHost, SECRET_FILE, type WebhookHost } from '../hosts/webhook-host.ts'

const CONFIG = '/etc/pomerium/host-agent.yaml'
const PROGRAM = '/usr/local/bin/pomerium-host-agent'
const REPAIR = 'pomerium-host-agent-repair'
const SANDBOX = `/etc/systemd/system/${REPAIR}.service.d`
const SERVICES = ['pomerium-host-agent-webhook', 'pomerium-host-agent-provisioner']
/** Connections that come one after the other, and go at once. */
const KNOCKS = `
  for n in $(seq 20); do
    curl -s --max-time 0.3 http://127.0.0.1:9444/
    curl -s --max-time 0.3 --unix-socket /run/pomerium-host-agent/provisioner.sock http://agent/
    sleep 0.2
  done; true`
const WATCHED_MS = 20_000

// What is broken, how it is mended, and the services that it keeps from starting: found by systemd, by us
// before we listen, and by us when we are about to.
const BROKEN: [what: string, spoil: string, mend: string, services: string[]][] = [
  [
    'a typo in the config',
    `cp ${CONFIG} /root/kept && echo 'nonsense: [' >>${CONFIG}`,
    `cat /root/kept >${CONFIG}`,
    SERVICES,
  ],
  [
    'a credential that is gone',
    `mv ${SECRET_FILE} /root/kept`,
    `mv /root/kept ${SECRET_FILE}`,
    SERVICES.slice(0, 1),
  ],
  [
    'a repair whose sandbox can’t be made, and which has something to do',
    `mkdir -p ${SANDBOX} && printf '[Service]\nReadWritePaths=/srv/none\n' >${SANDBOX}/zz.conf && systemctl daemon-reload && touch /run/pomerium-host-agent/drift`,
    `rm -r ${SANDBOX}/zz.conf && systemctl daemon-reload`,
    [REPAIR],
  ],
  [
    'a secret that is none',
    `cp ${SECRET_FILE} /root/kept && echo short >${SECRET_FILE}`,
    `cat /root/kept >${SECRET_FILE}`,
    SERVICES.slice(0, 1),
  ],
  [
    'a program that is gone',
    `mv ${PROGRAM} /root/kept-program`,
    `mv /root/kept-program ${PROGRAM}`,
    SERVICES,
  ],
]

describeTier('services that can’t start, on a booted host', machineTier(), () => {
  describe.each(suitesFor({ slice: ['bullseye'] }))('%s', suite => {
    let it: WebhookHost
    let ca: Ca
    beforeAll(async () => {
      ca = await makeCa()
      it = await bootWebhookHost({ suite })
      await it.publish(ca.publicKey)
      expect((await it.rotate()).status).toBe(200)
    })
    afterAll(async () => {
      await it?.stop()
      await ca?.[Symbol.asyncDispose]()
    })
    beforeEach(() => it.host.exec(`systemctl stop ${SERVICES.join(' ')}`))

    const starts = async (service: string) => {
      const journal = await it.host.journal(`${service}.service`)
      return journal.match(/ Starting /g)?.length ?? 0
    }

    // The others differ in systemd.
    test.each(suite === 'bookworm' ? BROKEN : BROKEN.slice(0, 3))(
      '%s: a few starts a minute, and mended it is heard again',
      async (...row) => {
        const [, spoil, mend, services] = row
        await it.host.exec(spoil)
        const before = await Promise.all(services.map(starts))
        await it.host.exec(KNOCKS, { timeoutMs: 120_000 })
        await sleep(WATCHED_MS)
        const after = await Promise.all(services.map(starts))
        for (const [at, count] of after.entries()) {
          expect(count - (before[at] ?? 0), services[at]).toBeLessThanOrEqual(5)
        }
        for (const unit of ['-webhook.socket', '-provisioner.socket']) {
          const name = `pomerium-host-agent${unit}`
          const { ActiveState } = await it.host.unitProperties(name, ['ActiveState'])
          expect(ActiveState, name).toBe('active')
        }
        await it.host.exec(mend)
        // The one that sends it tries again for longer.
        await it.host.waitFor('an answer', async () => (await it.rotate()).status === 200, 45_000)
      },
    )
  })
})
